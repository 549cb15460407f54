"""Cases of dpkg_selections."""
from rows import chained, hosted

hosted("dpkg_selections holds", "apt-get -y install hf-tool-x", "- dpkg_selections: name=hf-tool-x selection=hold",
       "dpkg --get-selections hf-tool-x | tr -s '\\t' ' '", "hf-tool-x hold")

chained("dpkg_selections", {"name": "hf-demo", "selection": "hold"})
chained("dpkg_selections", {"name": "hf-demo", "selection": "hold"})
# What is held stays, until it is said that it need not.
chained("apt", {"name": "hf-demo", "state": "latest"}, ["msg"])
chained("apt", {"name": "hf-demo", "state": "latest", "allow_change_held_packages": True})
