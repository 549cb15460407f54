"""A repository of tiny packages, which rpm makes on a host."""

PLACES = """
mkdir -p /etc/rpm /srv/rpms /etc/yum.repos.d
echo '%_dbpath /var/lib/rpm' >/etc/rpm/macros.hf
"""
# one NAME VERSION [MORE LINES]: a package of nearly nothing
MAKE = PLACES + r"""
one() {
	printf "Name: $1\nVersion: $2\nRelease: 1\nSummary: s\nLicense: none\nBuildArch: noarch\n$3\n%%description\nno\n%%install\n" >/root/$1.spec
	printf "mkdir -p %%{buildroot}/usr/share/$1\necho $2 >%%{buildroot}/usr/share/$1/version\n%%files\n/usr/share/$1\n" >>/root/$1.spec
	rpmbuild -bb --quiet --define '_topdir /root/work' --define '_rpmdir /srv/rpms' --define "_build_name_fmt %%{NAME}-%%{VERSION}.rpm" /root/$1.spec
}
"""
REPOSITORY = r"""
createrepo_c -q /srv/rpms
printf '[local]\nname=Local\nbaseurl=file:///srv/rpms\ngpgcheck=0\nenabled=1\n' >/etc/yum.repos.d/local.repo
printf '[other]\nname=Other\nbaseurl=file:///srv/rpms\ngpgcheck=1\nenabled=0\n' >/etc/yum.repos.d/other.repo
"""
BUILD = MAKE + r"""
one hf-lib 1.0; for v in 1.0 1.1 2.0; do one hf-demo $v 'Requires: hf-lib'; done
one hf-mail-a 1.0 'Provides: hf-mail'; one hf-tool-x 1.0; one hf-tool-y 1.0
""" + REPOSITORY
