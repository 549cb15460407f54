"""Cases of apt."""
from rows import chained, hosted

hosted("apt installs", "", "- apt: name=hf-demo", "dpkg-query -Wf '${Version} ' hf-demo hf-lib 2>/dev/null", "2.0 1.0")
hosted("apt installs a version", "", "- apt: name=hf-demo=1.0", "dpkg-query -Wf '${Version}' hf-demo 2>/dev/null", "1.0")
hosted("apt takes the newest that fits a pattern", "", "- apt: name=hf-demo=1.*",
       "dpkg-query -Wf '${Version}' hf-demo 2>/dev/null", "1.1")
hosted("apt upgrades to at least a version", "apt-get -y install hf-demo=1.0", "- apt: name='hf-demo>=1.1'",
       "dpkg-query -Wf '${Version}' hf-demo", "2.0")
hosted("apt latest", "apt-get -y install hf-demo=1.0", "- apt: name=hf-demo state=latest",
       "dpkg-query -Wf '${Version}' hf-demo", "2.0")
hosted("apt downgrades when told to", "apt-get -y install hf-demo=2.0", "- apt: name=hf-demo=1.1 allow_downgrade=yes",
       "dpkg-query -Wf '${Version}' hf-demo", "1.1")
hosted("apt takes a virtual name", "", "- apt: name=hf-mail", "dpkg-query -Wf '${Version}' hf-mail-a 2>/dev/null", "1.0")
hosted("apt expands wildcards", "", "- apt: name=hf-tool-*", "dpkg-query -Wf '${Package} ' 'hf-tool-*' 2>/dev/null",
       "hf-tool-x hf-tool-y")
hosted("apt removes", "apt-get -y install hf-tool-x", "- apt: name=hf-tool-x state=absent",
       "dpkg-query -Wf '${db:Status-Abbrev}' hf-tool-x 2>/dev/null", "")
hosted("apt purges what was left", "apt-get -y install hf-demo; apt-get -y remove hf-demo",
       "- apt: name=hf-demo state=absent purge=yes", "ls /etc/hf-demo.conf 2>/dev/null", "")
hosted("apt installs a file", "", "- apt: deb=/srv/archive/hf-tool-x_1.0_all.deb",
       "dpkg-query -Wf '${Version}' hf-tool-x 2>/dev/null", "1.0")
hosted("apt removes what nothing needs", "apt-get -y install hf-demo; apt-get -y remove hf-demo", "- apt: autoremove=yes",
       "ls /usr/share/hf-lib 2>/dev/null", "")

chained("apt", {"name": "hf-demo=1.0"})
chained("apt", {"name": "hf-demo=1.0"})
chained("apt", {"name": "hf-demo", "state": "latest"})
chained("apt", {"name": "hf-demo=1.1"}, ["msg"])
chained("apt", {"name": "hf-demo=1.1", "allow_downgrade": True})
chained("apt", {"name": "no-such-package"})
chained("apt", {"name": ["hf-tool-x", "hf-tool-y"], "force_apt_get": True, "install_recommends": False})
chained("apt", {"name": "hf-tool-*", "only_upgrade": True})
chained("apt", {"name": "hf-tool-x", "state": "absent", "purge": True})
chained("apt", {"name": "hf-tool-x", "state": "absent"})
chained("apt", {"deb": "/srv/archive/hf-tool-x_1.0_all.deb"})
chained("apt", {"deb": "/srv/archive/hf-tool-x_1.0_all.deb"})
chained("apt", {"autoremove": True})
chained("apt", {"clean": True})
chained("apt", {"autoclean": True})
chained("apt", {"upgrade": "dist"}, ["msg"])
chained("apt", {"update_cache": True, "update_cache_retries": 2, "update_cache_retry_max_delay": 1}, ["cache_updated", "changed"])
