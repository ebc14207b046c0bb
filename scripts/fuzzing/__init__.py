"""What `scripts/fuzz.py` tries: cases of foreign text, each made from a number."""
