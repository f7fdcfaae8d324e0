"""The networks that this project trains."""
