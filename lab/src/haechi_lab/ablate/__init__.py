"""What each part of the training is worth: left out in turn, and measured."""
