"""Cases of hostname."""
from rows import chained, hosted

hosted("hostname", "", "- hostname: name=box.example.org", "hostname; cat /etc/hostname",
       "box.example.org\nbox.example.org")

chained("hostname", {"name": "box.example.org"})
chained("hostname", {"name": "box.example.org"})
