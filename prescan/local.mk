# prescan/local.mk
