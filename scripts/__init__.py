"""What is run from a checkout; a package, for others bring one of this name."""
