"""Cases of systemd."""
from rows import chained, hosted

UNIT = "[Unit]\nDescription=nap\n[Service]\nExecStart=/bin/sleep 1000\n[Install]\nWantedBy=multi-user.target\n"
hosted("systemd starts", "systemctl stop nap", "- systemd: name=nap state=started", "systemctl is-active nap", "active")
hosted("systemd stops", "systemctl start nap", "- systemd: name=nap.service state=stopped", "systemctl is-active nap",
       "inactive")
hosted("systemd enables and starts", "systemctl disable --now nap", "- systemd: name=nap enabled=yes state=started",
       "systemctl is-active nap; systemctl is-enabled nap", "active\nenabled")
hosted("systemd masks", "systemctl stop nap; systemctl unmask nap; mv /etc/systemd/system/nap.service /lib/systemd/system/; "
       "systemctl daemon-reload", "- systemd: name=nap masked=yes", "systemctl is-enabled nap", "masked")
hosted("systemd reads a new unit file", "printf '%s' '" + UNIT + "' >/etc/systemd/system/nap2.service",
       "- systemd: name=nap2 state=started daemon_reload=yes", "systemctl is-active nap2", "active")

chained("systemd", {"name": "nap", "state": "started", "enabled": True})
chained("systemd", {"name": "nap", "state": "started", "enabled": True})
chained("systemd", {"name": "nap", "state": "stopped", "enabled": False})
chained("systemd", {"name": "cron.service", "masked": True})
chained("systemd", {"name": "cron.service", "masked": False})
chained("systemd", {"name": "no-such-unit", "state": "started"})
chained("systemd", {"daemon_reload": True}, ["changed"])
