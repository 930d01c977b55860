# user/local.mk
