"""Cases of user."""
from rows import chained, hosted

hosted("user", "groupadd crew", "- user: name=ada comment='Ada L' shell=/bin/sh groups=crew,games uid=1815",
       "getent passwd ada; id -nG ada 2>/dev/null; stat -c %U /home/ada 2>/dev/null",
       "ada:x:1815:1815:Ada L:/home/ada:/bin/sh\nada games crew\nada")
hosted("user changes", "useradd -m -s /bin/sh ada; groupadd crew", "- user: name=ada shell=/bin/bash groups=crew append=yes",
       "getent passwd ada | cut -d: -f7; id -nG ada", "/bin/bash\nada crew")
hosted("user system without home", "", "- user: name=daemon2 system=yes create_home=no shell=/usr/sbin/nologin home=/var/d2",
       "getent passwd daemon2 | cut -d: -f6,7; test -e /var/d2 && echo there", "/var/d2:/usr/sbin/nologin")
hosted("user password and expiry", "useradd -m ada",
       "- user: name=ada password='$6$salt$hash' expires=1893456000 password_expire_max=90",
       "getent shadow ada | cut -d: -f2,5,8", "$6$salt$hash:90:21915")
hosted("user locked", "useradd -m ada; echo ada:x | chpasswd", "- user: name=ada password_lock=yes",
       "getent shadow ada | cut -d: -f2 | cut -c1", "!")
hosted("user goes with home", "useradd -m ada; echo x >/home/ada/f", "- user: name=ada state=absent remove=yes",
       "getent passwd ada; cat /home/ada/f 2>/dev/null", "")

chained("group", {"name": "crew", "gid": 4321})
chained("user", {"name": "ada", "uid": 1815, "comment": "Ada L", "shell": "/bin/sh", "groups": "crew,games"})
chained("user", {"name": "ada", "uid": 1815, "comment": "Ada L", "shell": "/bin/sh", "groups": "crew,games"})
chained("user", {"name": "ada", "shell": "/bin/bash", "append": True, "groups": "crew"})
chained("user", {"name": "ada", "password_lock": True})
chained("user", {"name": "eve", "group": "no-such-group"})
chained("user", {"name": "ada", "state": "absent", "remove": True})
chained("user", {"name": "ada", "state": "absent"})
