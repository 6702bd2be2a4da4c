"""The trainer: the challenger and the rival it is compared with."""
