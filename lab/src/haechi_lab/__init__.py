"""haechi-lab: how the networks of Haechi are made, how all is measured. It alone imports PyTorch."""
