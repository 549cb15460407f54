"""Cases of slurp."""
from rows import Dir, played

played("slurp", {"slurp": {"src": "@/f"}}, {"f": "a\nbc"})
played("slurp missing", {"slurp": {"src": "@/f"}})
played("slurp directory", {"slurp": {"path": "@/d"}}, {"d": Dir()})
