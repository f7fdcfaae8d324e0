"""What the networks find: figures for the cards, sources left out, conditions of the field, baselines."""
