"""`python -m streams` is `jiantu`."""

from streams.cli import main

if __name__ == "__main__":
    main()
