noinst_LIBRARIES += %reldir%/libhf-modules.a
# One line a module.
%canon_reldir%_libhf_modules_a_SOURCES = \
	%reldir%/registry.c %reldir%/registry.h %reldir%/registry.def %reldir%/lookups.c %reldir%/lookups.h \
	%reldir%/add_host.c \
	%reldir%/assert.c \
	%reldir%/debug.c \
	%reldir%/fail.c \
	%reldir%/group_by.c \
	%reldir%/pause.c \
	%reldir%/ping.c \
	%reldir%/set_fact.c \
	%reldir%/set_stats.c
# Packages, services, users and facts of the host.
%canon_reldir%_libhf_modules_a_SOURCES += \
	%reldir%/host.c %reldir%/host.h %reldir%/dpkg.c %reldir%/dpkg.h \
	%reldir%/apt.c %reldir%/apt_get.c %reldir%/apt.h \
	%reldir%/facts/facts.h \
	%reldir%/facts/facts.c \
	%reldir%/facts/setup.c \
	%reldir%/facts/distribution.c \
	%reldir%/facts/platform.c \
	%reldir%/facts/hardware.c \
	%reldir%/facts/devices.c \
	%reldir%/facts/network.c \
	%reldir%/facts/services.c \
	%reldir%/facts/virtual.c \
	%reldir%/facts/local.c
# Files, text, commands and archives.
%canon_reldir%_libhf_modules_a_SOURCES += \
	%reldir%/accounts.c %reldir%/accounts.h \
	%reldir%/cmdline.c %reldir%/cmdline.h \
	%reldir%/file_attr.c %reldir%/file_attr.h \
	%reldir%/file_content.c %reldir%/file_content.h \
	%reldir%/file_flags.c %reldir%/file_flags.h \
	%reldir%/file_label.c %reldir%/file_label.h \
	%reldir%/file_mode.c %reldir%/file_mode.h \
	%reldir%/text_file.c %reldir%/text_file.h \
	%reldir%/copy_remote.c %reldir%/copy_tree.c %reldir%/copy_work.c %reldir%/copy_work.h \
	%reldir%/file_link.c %reldir%/file_work.h
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/assemble.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/blockinfile.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/command.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/copy.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/fetch.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/file.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/find.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/lineinfile.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/replace.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/script.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/slurp.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/stat.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/tempfile.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/template.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/systemd.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/service.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/service_facts.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/package.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/package_facts.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/dpkg_selections.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/dnf.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/systemd_bus.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/systemd_bus.h
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/systemd_files.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/systemd_files.h
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/delegate.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/delegate.h
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/user.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/group.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/getent.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/ec2_metadata_facts.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/userdb.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/userdb.h
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/hostname.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/timezone.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/sysctl.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/kernel_blacklist.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/modprobe.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/locale_gen.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/cron.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/mount.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/web.c %reldir%/web.h
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/get_url.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/archive_late.c %reldir%/archive_late.h \
	%reldir%/unarchive.c %reldir%/unarchive_work.c %reldir%/unarchive_work.h
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/apt_key.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/apt_repository.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/deb822_repository.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/openpgp.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/openpgp.h
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/apache2_module.c %reldir%/git_dir.c %reldir%/git_dir.h %reldir%/git.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/uri.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/wait_for.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/kernel_blacklist.c \
	%reldir%/include_vars.c \
	%reldir%/validate_argument_spec.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/reboot.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/pam_limits.c %reldir%/pamd.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/alternatives.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/debconf.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/ini_file.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/pip.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/yum_repository.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/rpm_key.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/iptables.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/selinux.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/seboolean.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/filesystem.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/async_status.c
# Keys, passwords, access lists, archives.
%canon_reldir%_libhf_modules_a_SOURCES += \
	%reldir%/acl.c \
	%reldir%/archive.c %reldir%/archive_work.c %reldir%/archive_work.h \
	%reldir%/authorized_key.c \
	%reldir%/htpasswd.c \
	%reldir%/known_hosts.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/synchronize.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/firewalld.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/ufw.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/at.c
# Keys and certificates.
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/crypto.c %reldir%/crypto.h %reldir%/crypto_info.c %reldir%/crypto_names.c \
	 %reldir%/csr.c %reldir%/csr.h %reldir%/csr_extensions.c \
	%reldir%/openssh_keypair.c \
	%reldir%/openssl_csr.c %reldir%/openssl_csr_info.c %reldir%/openssl_csr_pipe.c \
	%reldir%/openssl_privatekey.c %reldir%/openssl_publickey.c \
	%reldir%/x509_certificate.c %reldir%/x509_certificate_info.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/expect.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/xml.c %reldir%/xml_edit.c %reldir%/xml_edit.h \
	%reldir%/xml_late.c %reldir%/xml_late.h %reldir%/xml_tree.c %reldir%/xml_tree.h
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/parted.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/lvg.c %reldir%/commands.c %reldir%/commands.h
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/sefcontext.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/lvol.c %reldir%/mdadm.c
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/nmcli.c %reldir%/nmcli.h \
	%reldir%/nmcli_look.c %reldir%/nmcli_settings.c
# Manual pages: read by people, and carried by `holdfast doc`.
module_pages = \
	%reldir%/acl.md \
	%reldir%/add_host.md \
	%reldir%/alternatives.md \
	%reldir%/apt.md \
	%reldir%/apt_key.md \
	%reldir%/apt_repository.md \
	%reldir%/archive.md \
	%reldir%/assemble.md \
	%reldir%/assert.md \
	%reldir%/async_status.md \
	%reldir%/at.md \
	%reldir%/authorized_key.md \
	%reldir%/blockinfile.md \
	%reldir%/command.md \
	%reldir%/copy.md \
	%reldir%/cron.md \
	%reldir%/deb822_repository.md \
	%reldir%/debconf.md \
	%reldir%/debug.md \
	%reldir%/dnf.md \
	%reldir%/dpkg_selections.md \
	%reldir%/expect.md \
	%reldir%/fail.md \
	%reldir%/fetch.md \
	%reldir%/file.md \
	%reldir%/filesystem.md \
	%reldir%/find.md \
	%reldir%/firewalld.md \
	%reldir%/get_url.md \
	%reldir%/getent.md \
	%reldir%/ec2_metadata_facts.md \
	%reldir%/apache2_module.md \
	%reldir%/git.md \
	%reldir%/gpu.md \
	%reldir%/gpu_health.md \
	%reldir%/group.md \
	%reldir%/group_by.md \
	%reldir%/hostname.md \
	%reldir%/htpasswd.md \
	%reldir%/include_vars.md \
	%reldir%/ini_file.md \
	%reldir%/iptables.md \
	%reldir%/kernel_blacklist.md \
	%reldir%/known_hosts.md \
	%reldir%/lineinfile.md \
	%reldir%/locale_gen.md \
	%reldir%/lvg.md \
	%reldir%/lvol.md \
	%reldir%/mdadm.md \
	%reldir%/modprobe.md \
	%reldir%/mount.md \
	%reldir%/nmcli.md \
	%reldir%/openssh_keypair.md \
	%reldir%/openssl_csr.md \
	%reldir%/openssl_csr_info.md \
	%reldir%/openssl_csr_pipe.md \
	%reldir%/openssl_privatekey.md \
	%reldir%/openssl_publickey.md \
	%reldir%/package.md \
	%reldir%/package_facts.md \
	%reldir%/pam_limits.md \
	%reldir%/pamd.md \
	%reldir%/parted.md \
	%reldir%/pause.md \
	%reldir%/ping.md \
	%reldir%/pip.md \
	%reldir%/raw.md \
	%reldir%/reboot.md \
	%reldir%/replace.md \
	%reldir%/rpm_key.md \
	%reldir%/script.md \
	%reldir%/seboolean.md \
	%reldir%/sefcontext.md \
	%reldir%/selinux.md \
	%reldir%/service.md \
	%reldir%/service_facts.md \
	%reldir%/set_fact.md \
	%reldir%/set_stats.md \
	%reldir%/setup.md \
	%reldir%/shell.md \
	%reldir%/slurp.md \
	%reldir%/stack_check.md \
	%reldir%/stat.md \
	%reldir%/synchronize.md \
	%reldir%/sysctl.md \
	%reldir%/systemd.md \
	%reldir%/tempfile.md \
	%reldir%/template.md \
	%reldir%/timezone.md \
	%reldir%/ufw.md \
	%reldir%/unarchive.md \
	%reldir%/uri.md \
	%reldir%/user.md \
	%reldir%/validate_argument_spec.md \
	%reldir%/wait_for.md \
	%reldir%/wait_for_connection.md \
	%reldir%/x509_certificate.md \
	%reldir%/x509_certificate_info.md \
	%reldir%/xml.md \
	%reldir%/yum_repository.md
# GPUs and what belongs to them.
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/gpu.c %reldir%/gpu_health.c \
	%reldir%/gpu_kmsg.c %reldir%/gpu_kmsg.h %reldir%/gpu_nvml.c %reldir%/gpu_nvml.h \
	%reldir%/stack_check.c %reldir%/stack_facts.c %reldir%/stack_facts.h
# Packages of languages, snaps, and what a container engine holds.
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/npm.c %reldir%/gem.c %reldir%/snap.c
module_pages += %reldir%/conda_env.md
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/conda_env.c
module_pages += %reldir%/docker_container.md %reldir%/docker_image.md %reldir%/docker_network.md %reldir%/npm.md %reldir%/gem.md %reldir%/snap.md
%canon_reldir%_libhf_modules_a_SOURCES += %reldir%/docker.c %reldir%/docker.h %reldir%/docker_args.c \
	%reldir%/docker_auth.c %reldir%/docker_auth.h %reldir%/docker_context.c %reldir%/docker_context.h \
	%reldir%/docker_image.c %reldir%/docker_image.h %reldir%/docker_image_work.c \
	%reldir%/docker_compare.c %reldir%/docker_container.c %reldir%/docker_container.h %reldir%/docker_options.def \
	%reldir%/docker_network.c %reldir%/docker_ports.c %reldir%/docker_settings.c
