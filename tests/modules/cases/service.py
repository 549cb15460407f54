"""Cases of service."""
from rows import hosted

hosted("service passes on to systemd", "systemctl unmask nap; systemctl stop nap", "- service: name=nap state=started sleep=1",
       "systemctl is-active nap", "active")
