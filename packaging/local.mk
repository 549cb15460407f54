# What systemd reads: the agent's unit, its user, its folders.
systemdunitdir = $(prefix)/lib/systemd/system
dist_systemdunit_DATA = %reldir%/systemd/holdfastd.service %reldir%/systemd/holdfastd-net.socket \
	%reldir%/systemd/holdfastd-net@.service
sysusersdir = $(prefix)/lib/sysusers.d
dist_sysusers_DATA = %reldir%/sysusers/holdfast.conf
tmpfilesdir = $(prefix)/lib/tmpfiles.d
dist_tmpfiles_DATA = %reldir%/tmpfiles/holdfast.conf

# Completion and manual pages come out of the tables of the commands when the program is there.
bashcompletiondir = $(datadir)/bash-completion/completions
zshcompletiondir = $(datadir)/zsh/site-functions
fishcompletiondir = $(datadir)/fish/vendor_completions.d
nodist_bashcompletion_DATA = %reldir%/completion/holdfast
nodist_zshcompletion_DATA = %reldir%/completion/_holdfast
nodist_fishcompletion_DATA = %reldir%/completion/holdfast.fish
completion_out = $(AM_V_GEN)mkdir -p $(@D) && ./holdfast$(EXEEXT) completion
%reldir%/completion/holdfast: holdfast$(EXEEXT)
	$(completion_out) bash >$@.new && mv $@.new $@
%reldir%/completion/_holdfast: holdfast$(EXEEXT)
	$(completion_out) zsh >$@.new && mv $@.new $@
%reldir%/completion/holdfast.fish: holdfast$(EXEEXT)
	$(completion_out) fish >$@.new && mv $@.new $@

pages_out = $(AM_V_GEN)mkdir -p $(@D) && $(AWK) -v version=$(PACKAGE_VERSION) -f $(srcdir)/packaging/manual.awk
%reldir%/man/holdfast.1: holdfast$(EXEEXT)
	$(AM_V_GEN)rm -rf $(@D)/new && ./holdfast$(EXEEXT) manual --folder $(@D)/new && mv $(@D)/new/* $(@D)/ && \
		rmdir $(@D)/new && touch $@
%reldir%/man/holdfastd.8: docs/holdfastd.md %reldir%/manual.awk
	$(pages_out) $(srcdir)/docs/holdfastd.md >$@.new && mv $@.new $@
%reldir%/man/holdfast.yaml.5: docs/holdfast.yaml.md %reldir%/manual.awk
	$(pages_out) $(srcdir)/docs/holdfast.yaml.md >$@.new && mv $@.new $@
packaging_pages = %reldir%/man/holdfast.1 %reldir%/man/holdfastd.8 %reldir%/man/holdfast.yaml.5
all-local: $(packaging_pages)
install-data-hook:
	for n in 1 5 8; do \
		$(MKDIR_P) "$(DESTDIR)$(mandir)/man$$n" && \
		$(INSTALL_DATA) packaging/man/*.$$n "$(DESTDIR)$(mandir)/man$$n" || exit 1; \
	done
uninstall-hook:
	cd packaging/man && for p in *.[158]; do rm -f "$(DESTDIR)$(mandir)/man$${p##*.}/$$p"; done
CLEANFILES += $(nodist_bashcompletion_DATA) $(nodist_zshcompletion_DATA) $(nodist_fishcompletion_DATA)
clean-local:
	rm -rf packaging/man

# The roles we ship, where releases are made from them: /usr/share/holdfast/playbooks.
install-data-local:
	cd $(srcdir) && find playbooks -type d | while read -r d; do \
		$(MKDIR_P) "$(DESTDIR)$(pkgdatadir)/$$d" || exit 1; done
	cd $(srcdir) && find playbooks -type f | while read -r f; do \
		mode=644; [ ! -x "$$f" ] || mode=755; \
		$(INSTALL) -m $$mode "$$f" "$(DESTDIR)$(pkgdatadir)/$$f" || exit 1; done
uninstall-local:
	rm -rf "$(DESTDIR)$(pkgdatadir)/playbooks"
