"""Cases of getent."""
from rows import chained

chained("getent", {"database": "passwd", "key": "root"})
chained("getent", {"database": "passwd", "key": "nobody-has-this"})
