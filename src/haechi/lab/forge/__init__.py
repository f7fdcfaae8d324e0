"""Pseudo-fakes, each family in one file. All are made from one person's own picture and stay in the lab."""
