from case_fixtures import case, passphrase, quick

__all__ = ["case", "passphrase", "quick"]
