"""Cases of cron."""
from rows import chained, hosted

hosted("cron job of a user", "", "- cron: name='say hello' minute=5 hour='1,2' job='echo hello >/dev/null'",
       "crontab -l 2>/dev/null", "#Ansible: say hello\n5 1,2 * * * echo hello >/dev/null")
hosted("cron job changes", "printf '#Ansible: j\\n1 * * * * old\\n2 * * * * other\\n' | crontab -",
       "- cron: name=j special_time=daily job=new", "crontab -l", "#Ansible: j\n@daily new\n2 * * * * other")
hosted("cron job goes", "printf '#Ansible: j\\n1 * * * * old\\n2 * * * * other\\n' | crontab -", "- cron: name=j state=absent",
       "crontab -l", "2 * * * * other")
hosted("cron file", "", "- cron: name=j cron_file=jobs user=root job=/bin/true disabled=yes", "cat /etc/cron.d/jobs 2>/dev/null",
       "#Ansible: j\n#* * * * * root /bin/true")
hosted("cron variable", "printf 'A=1\\n' | crontab -", "- cron: name=PATH env=yes job=/bin insertafter=A", "crontab -l",
       'A=1\nPATH="/bin"')

chained("cron", {"name": "say hello", "minute": "5", "job": "echo hello"})
chained("cron", {"name": "say hello", "minute": "5", "job": "echo hello"})
chained("cron", {"name": "PATH", "env": True, "job": "/bin"})
chained("cron", {"name": "j", "cron_file": "jobs", "user": "root", "job": "/bin/true", "special_time": "daily"})
chained("cron", {"name": "say hello", "state": "absent"})
