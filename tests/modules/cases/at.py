"""Cases of at."""
from rows import hosted

hosted("at adds a job", "", "- ansible.posix.at: {command: 'touch /tmp/later', count: 3, units: days, unique: true}",
       "for j in $(atq | cut -f1); do at -c $j | grep later; done", "touch /tmp/later")
hosted("at removes its job", "echo 'touch /tmp/later' | at now + 2 days; echo 'touch /tmp/other' | at now + 2 days",
       "- ansible.posix.at: {command: 'touch /tmp/later', state: absent}",
       "for j in $(atq | cut -f1); do at -c $j | grep touch; done | sort", "touch /tmp/other")
