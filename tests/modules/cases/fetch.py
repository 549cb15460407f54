"""Cases of fetch."""
from rows import Dir, played

played("fetch flat", {"fetch": {"src": "@/f", "dest": "@/got", "flat": True}}, {"f": "x\n"})
played("fetch flat dir", {"fetch": {"src": "@/f", "dest": "@/got/", "flat": True}}, {"f": "x\n"})
played("fetch flat same", {"fetch": {"src": "@/f", "dest": "@/got", "flat": True}}, {"f": "x\n", "got": "x\n"})
played("fetch missing", {"fetch": {"src": "@/f", "dest": "@/got", "flat": True}}, loose=["file"])
played("fetch missing ok", {"fetch": {"src": "@/f", "dest": "@/got", "flat": True, "fail_on_missing": False}})
played("fetch with what it never asks for", {"fetch": {"src": "@/f", "dest": "@/got", "flat": True, "mode": "0600", "validate_md5": True}}, {"f": "x\n"})
played("fetch directory", {"fetch": {"src": "@/d", "dest": "@/got", "flat": True}}, {"d": Dir()})
