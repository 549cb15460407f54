# Sources of packaging/ are added here.
