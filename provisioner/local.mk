# Sources of provisioner/ are added here.
