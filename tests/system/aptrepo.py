"""A local apt archive made of a few tiny packages, so that versions, pins and downgrades are real without a network."""
import gzip
import hashlib
import pathlib
import subprocess

PACKAGES = [
    # name, version, control lines, files
    ("hf-lib", "1.0", "", {"usr/share/hf-lib/version": "1.0"}),
    ("hf-demo", "1.0", "Depends: hf-lib\n", {"usr/share/hf-demo/version": "1.0", "etc/hf-demo.conf": "one\n"}),
    ("hf-demo", "1.1", "Depends: hf-lib\n", {"usr/share/hf-demo/version": "1.1", "etc/hf-demo.conf": "one\n"}),
    ("hf-demo", "2.0", "Depends: hf-lib\n", {"usr/share/hf-demo/version": "2.0", "etc/hf-demo.conf": "one\n"}),
    ("hf-mail-a", "1.0", "Provides: hf-mail\n", {"usr/share/hf-mail-a/x": "a"}),
    ("hf-tool-x", "1.0", "", {"usr/share/hf-tool-x/x": "x"}),
    ("hf-tool-y", "1.0", "", {"usr/share/hf-tool-y/x": "y"}),
]


def build(folder):
    """dpkg-deb every package into folder and write its Packages and Release."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for name, version, control, files in PACKAGES:
        tree = folder / "tree" / f"{name}-{version}"
        for path, text in files.items():
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_text(text)
        (tree / "DEBIAN").mkdir(parents=True, exist_ok=True)
        text = (f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: test <test@example.org>\n"
                f"{control}Description: a package for tests\n")
        (tree / "DEBIAN/control").write_text(text)
        if any(p.startswith("etc/") for p in files):
            (tree / "DEBIAN/conffiles").write_text("".join(f"/{p}\n" for p in files if p.startswith("etc/")))
        deb = folder / f"{name}_{version}_all.deb"
        subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "-b", str(tree), str(deb)], check=True,
                       capture_output=True)
        data = deb.read_bytes()
        rows.append(text.rstrip("\n") + f"\nFilename: ./{deb.name}\nSize: {len(data)}\n"
                    f"SHA256: {hashlib.sha256(data).hexdigest()}\n")
    packages = "\n".join(rows).encode()
    (folder / "Packages").write_bytes(packages)
    (folder / "Packages.gz").write_bytes(gzip.compress(packages, mtime=0))
    (folder / "Release").write_text("Origin: hf-test\nLabel: hf-test\nSuite: stable\nCodename: stable\n"
                                    f"SHA256:\n {hashlib.sha256(packages).hexdigest()} {len(packages)} Packages\n")
    return folder
