"""What `scripts/reproduce.py` knows of the papers, and how it does one collection after another."""
