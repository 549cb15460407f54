# Sources of agent/ are added here.
