"""Cases of deb822_repository."""
from given import NO_SOURCES, SOURCES
from rows import hosted, live

hosted("deb822_repository writes a stanza", "", """
       - deb822_repository:
           name: My Repo
           uris: http://example.org/debian
           suites: stable
           components: [main, contrib]
           signed_by: |
             -----BEGIN PGP PUBLIC KEY BLOCK-----

             abcd
       """, "cat /etc/apt/sources.list.d/my-repo.sources 2>/dev/null",
       "Components: main contrib\nX-Repolib-Name: My Repo\nSigned-By:\n    -----BEGIN PGP PUBLIC KEY BLOCK-----\n    .\n"
       "    abcd\nSuites: stable\nTypes: deb\nURIs: http://example.org/debian")
STANZA = {"name": "My_Repo 2", "uris": ["http://e.org/a", "http://e.org/b"], "suites": "stable", "components": ["main", "contrib"]}


def deb822(title, given="", loose=(), **args):
    live(title, "deb822_repository", {**STANZA, **args}, NO_SOURCES + given, SOURCES, loose)


HERE = "printf 'Types: deb\\nURIs: http://e.org/a http://e.org/b\\n' >/etc/apt/sources.list.d/my-repo-2.sources; "
deb822("new")
deb822("every option", allow_downgrade_to_insecure=False, allow_insecure=True, allow_weak=True, architectures=["amd64", "arm64"], by_hash=False,
       check_date=False, check_valid_until=True, date_max_future=10, enabled=False, inrelease_path="x/y", languages=["en", "de"],
       pdiffs=True, targets=["Packages"], trusted=True, types=["deb", "deb-src"], signed_by="/etc/passwd", mode="0600")
deb822("another", HERE)
deb822("another mode", mode="0640", given=HERE)
deb822("a mode in letters", mode="u=rw,g=r,o=")
deb822("a key in it", signed_by="-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n  abcd\nefgh\n-----END PGP PUBLIC KEY BLOCK-----\n")
deb822("a fingerprint", signed_by="0123456789ABCDEF0123456789ABCDEF01234567")
deb822("a key from a file's address", signed_by="file:///srv/archive/a.asc")
deb822("a key from a file's address, bytes", signed_by="file:///srv/archive/a.gpg")
deb822("a key from nowhere", signed_by="file:///srv/archive/none.asc", loose=["msg"])
deb822("a long name", name="Été: some   repo__x! (2)")
deb822("a date in the past", date_max_future=-1)
deb822("goes", HERE + "touch /etc/apt/keyrings/my-repo-2.asc", state="absent")
deb822("goes and is not there", state="absent")
deb822("of another kind", types=["rpm"])
