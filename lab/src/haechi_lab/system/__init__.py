"""What the program costs and withstands: speed, cases, fingerprints, the server; the tables of the docs."""
