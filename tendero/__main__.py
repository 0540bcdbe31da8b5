"""`python -m tendero` is the command `tendero`."""

from tendero.cli import main

if __name__ == "__main__":
    main()
