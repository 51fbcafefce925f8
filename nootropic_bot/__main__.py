"""`python -m nootropic_bot`."""

from nootropic_bot.cli import main

if __name__ == "__main__":
    main()
