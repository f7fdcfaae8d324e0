"""From raw logits to calibrated evidence, a fused verdict and its thresholds."""
