"""Cases of group."""
from rows import chained, hosted

hosted("group", "", "- group: name=crew gid=4321", "getent group crew", "crew:x:4321:")
hosted("group changes its number", "groupadd -g 4000 crew", "- group: name=crew gid=4321", "getent group crew", "crew:x:4321:")
hosted("group goes", "groupadd crew", "- group: name=crew state=absent", "getent group crew", "")

chained("group", {"name": "crew", "gid": 4321})
chained("group", {"name": "crew", "gid": 4321})
chained("group", {"name": "crew", "state": "absent"})
