"""Cases of package."""
from rows import hosted

hosted("package passes on to apt", "", "- package: name=hf-tool-y state=present",
       "dpkg-query -Wf '${Version}' hf-tool-y 2>/dev/null", "1.0")
