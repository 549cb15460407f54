/* lib/engine/action_names.c - the names Ansible knows actions by, whether or not holdfast has them: a key of
 * a task that is none of them is a mistake and no module. */
#include <string.h>

#include "lib/base/scope.h"
#include "lib/engine/args.h"

/* What ansible-core has, and the short names it leads on to collections. */
static const char *const names[] = { "acl", "add_host", "aerospike_migrations", "airbrake_deployment",
	"aireos", "aireos_command", "aireos_config", "alternatives", "apache2_mod_proxy", "apache2_module",
	"apconos_command", "apk", "apt", "apt_key", "apt_repo", "apt_repository", "apt_rpm", "archive",
	"aruba", "aruba_command", "aruba_config", "asa", "assemble", "assert", "async_status",
	"async_wrapper", "at", "authorized_key", "awall", "bcf_switch", "beadm", "bearychat", "bigip",
	"bigiq", "bigmon_chain", "bigmon_policy", "bigpanda", "blockinfile", "bower", "bundler", "bzr",
	"campfire", "capabilities", "catapult", "ce", "certificate_complete_chain", "circonus_annotation",
	"cisco_spark", "cli_command", "cli_config", "cloud_init_data_facts", "cloudflare_dns",
	"cloudformation", "cloudtrail", "cloudwatchevent_rule", "cnos", "cobbler_sync", "cobbler_system",
	"command", "composer", "consul", "copy", "cpanm", "cron", "cronvar", "crypttab",
	"cv_server_provision", "cyberark_authentication", "cyberark_user", "data_pipeline", "datadog_event",
	"datadog_monitor", "dconf", "deb822_repository", "debconf", "debug", "dellos10", "dellos6", "dellos9",
	"deploy_helper", "dimensiondata_network", "dimensiondata_vlan", "django_manage", "dms_endpoint",
	"dms_replication_subnet_group", "dnf", "dnf5", "dnsimple", "dnsmadeeasy", "dpkg_selections",
	"dynamodb_table", "dynamodb_ttl", "easy_install", "ec2", "edgeswitch_facts", "edgeswitch_vlan", "efs",
	"efs_facts", "efs_info", "ejabberd_user", "elasticache", "elasticsearch_plugin", "emc_vnx_sg_member",
	"enos", "eos", "eric_eccli_command", "etcd3", "execute_lambda", "exo_dns_domain", "exo_dns_record",
	"exos", "expect", "facter", "fail", "faz_device", "fetch", "file", "filesystem", "find", "firewalld",
	"flatpak", "flatpak_remote", "flowadm", "flowdock", "foreman", "formerly_core_ping", "frr_bgp",
	"frr_facts", "gather_facts", "gc_storage", "gcdns_record", "gcdns_zone", "gce", "gconftool2",
	"gcpubsub", "gcpubsub_facts", "gcpubsub_info", "gcspanner", "gem", "get_certificate", "get_url",
	"getent", "git", "git_config", "group", "group_by", "grove", "gunicorn", "haproxy", "helm",
	"heroku_collaborator", "hg", "hipchat", "homebrew", "homebrew_cask", "homebrew_tap",
	"honeybadger_deployment", "hostname", "hponcfg", "htpasswd", "iam", "iap_start_workflow", "iap_token",
	"icinga2_feature", "icinga2_host", "ig_config", "ig_unit_information", "imc_rest", "imgadm",
	"import_playbook", "import_role", "import_tasks", "include_role", "include_tasks", "include_vars",
	"infinity", "ini_file", "installp", "interfaces_file", "ios", "iosxr", "ip_netns", "ipify_facts",
	"ipinfoio_facts", "ipmi_boot", "ipmi_power", "iptables", "ipwcli_dns", "irc", "ironware",
	"iso_extract", "jabber", "java_cert", "java_keystore", "jboss", "jira", "junos", "k8s", "katello",
	"kernel_blacklist", "kibana_plugin", "kinesis_stream", "known_hosts", "lambda", "layman", "lbu",
	"librato_annotation", "lightsail", "lineinfile", "linode", "linode_v4", "listen_ports_facts", "lldp",
	"locale_gen", "logentries", "logentries_msg", "logicmonitor", "logicmonitor_facts", "logstash_plugin",
	"luks_device", "lvg", "lvol", "lxc_container", "lxca_cmms", "lxca_nodes", "lxd_container",
	"lxd_profile", "macports", "mail", "make", "mas", "matrix", "mattermost", "maven_artifact", "meta",
	"mksysb", "modprobe", "monit", "mount", "mqtt", "mssql_db", "nagios", "nclu", "netact_cm_command",
	"netconf", "netcup_dns", "network", "newrelic_deployment", "nexmo", "nginx_status_facts",
	"nginx_status_info", "nictagadm", "nmcli", "nosh", "npm", "nsupdate", "nuage_vspk", "nxos", "oci_vcn",
	"office_365_connector_card", "ohai", "omapi_host", "ome_device_info", "onepassword_facts",
	"onepassword_info", "open_iscsi", "openbsd_pkg", "opendj_backendprop", "openshift_raw",
	"openshift_scale", "openssh_cert", "openssh_keypair", "openwrt_init", "opkg", "opx_cps",
	"ordnance_config", "ordnance_facts", "osx_defaults", "osx_say", "ovirt", "pacemaker_cluster",
	"package", "package_facts", "pacman", "pagerduty", "pagerduty_alert", "pam_limits", "pamd", "parted",
	"patch", "pause", "pear", "pids", "ping", "pingdom", "pip", "pip_package_info", "pkg5",
	"pkg5_publisher", "pkgin", "pkgng", "pkgutil", "portage", "portinstall", "profitbricks", "proxmox",
	"proxmox_kvm", "proxmox_template", "psexec", "pubnub_blocks", "pulp_repo", "puppet", "pushbullet",
	"pushover", "python_requirements_facts", "python_requirements_info", "raw", "rax", "rds", "read_csv",
	"reboot", "redhat_subscription", "redis", "redshift", "replace", "restconf_config", "restconf_get",
	"rhevm", "rhn_channel", "rhn_register", "rhsm_release", "rhsm_repository", "riak", "rocketchat",
	"rollbar_deployment", "route53", "routeros_command", "routeros_facts", "rpm_key",
	"rundeck_acl_policy", "rundeck_project", "runit", "say", "script", "seboolean", "sefcontext",
	"selinux", "selinux_permissive", "selogin", "sendgrid", "seport", "serverless", "service",
	"service_facts", "set_fact", "set_stats", "setup", "shell", "sl_vm", "slack", "slackpkg", "slurp",
	"slxos", "smartos_image_facts", "smartos_image_info", "snap", "snmp_facts", "snow_record",
	"snow_record_find", "sns", "sns_topic", "solaris_zone", "sorcery", "spectrum_device",
	"spotinst_aws_elastigroup", "sqs_queue", "sros", "ss_3par_cpg", "stackdriver", "stacki_host", "stat",
	"statusio_maintenance", "sts_assume_role", "sts_session_token", "subversion", "supervisorctl", "svc",
	"svr4pkg", "swdepot", "swupd", "synchronize", "sysctl", "syslogger", "syspatch", "systemd",
	"systemd_service", "sysvinit", "taiga_issue", "telegram", "telnet", "tempfile", "template",
	"terraform", "timezone", "twilio", "typetalk", "ufw", "unarchive", "uptimerobot", "uri", "urpmi",
	"user", "uses_redirected_action", "validate_argument_spec", "vdo", "vexata_eg", "vexata_volume",
	"virt", "virt_net", "virt_pool", "vmadm", "voss", "vsphere_copy", "vsphere_file", "vyos", "wait_for",
	"wait_for_connection", "wakeonlan", "x509_crl", "x509_crl_info", "xattr", "xbps", "xfconf",
	"xfs_quota", "xml", "yarn", "yum", "yum_repository", "zfs", "zfs_delegate_admin", "zfs_facts",
	"znode", "zpool_facts", "zypper", "zypper_repository" };

/* Short names of collections begin with what they are about: docker_container, ec2_instance, win_copy. */
static const char *const families[] = { "a10", "aci", "acme", "aix", "ali", "asa", "atomic", "avi", "aws",
	"azure", "bigip", "bigiq", "bitbucket", "ce", "checkpoint", "clc", "cloudformation", "cloudfront",
	"cloudscale", "cloudwatchlogs", "cnos", "consul", "cp", "cpm", "cs", "dellos10", "dellos6", "dellos9",
	"digital", "dladm", "docker", "ec2", "ecs", "edgeos", "elasticache", "elb", "enos", "eos", "exos",
	"fmgr", "fortios", "ftd", "gce", "gcp", "github", "gitlab", "gluster", "grafana", "hcloud", "hetzner",
	"hpilo", "hwc", "iam", "ibm", "icx", "idrac", "infini", "influxdb", "intersight", "ios", "iosxr",
	"ipa", "ipadm", "ironware", "jenkins", "junos", "k8s", "keycloak", "kubevirt", "lambda", "ldap",
	"manageiq", "memset", "meraki", "mongodb", "mso", "mysql", "na", "net", "netapp", "netbox", "netconf",
	"netscaler", "nios", "nos", "nso", "nxos", "one", "oneandone", "oneview", "online", "onyx", "openssl",
	"openvswitch", "os", "ovh", "ovirt", "packet", "panos", "pn", "podman", "postgresql", "profitbricks",
	"proxysql", "purefa", "purefb", "rabbitmq", "rax", "rds", "redfish", "redshift", "route53", "s3",
	"scaleway", "sensu", "sf", "skydive", "slxos", "sros", "tower", "ucs", "udm", "utm", "vca", "vcenter",
	"vdirect", "vertica", "vmware", "voss", "vr", "vultr", "vyos", "webfaction", "win", "xenserver",
	"zabbix" };

/* What the Ansible package brings. */
static const char *const collections[] = { "amazon.aws", "ansible.builtin", "ansible.legacy",
	"ansible.netcommon", "ansible.posix", "ansible.utils", "ansible.windows", "arista.eos", "awx.awx",
	"azure.azcollection", "check_point.mgmt", "chocolatey.chocolatey", "cisco.aci", "cisco.asa",
	"cisco.dnac", "cisco.intersight", "cisco.ios", "cisco.iosxr", "cisco.ise", "cisco.meraki",
	"cisco.mso", "cisco.nso", "cisco.nxos", "cisco.ucs", "cloud.common", "cloudscale_ch.cloud",
	"community.aws", "community.azure", "community.ciscosmb", "community.crypto",
	"community.digitalocean", "community.dns", "community.docker", "community.fortios",
	"community.general", "community.google", "community.grafana", "community.hashi_vault",
	"community.hrobot", "community.kubevirt", "community.libvirt", "community.mongodb", "community.mysql",
	"community.network", "community.okd", "community.postgresql", "community.proxysql",
	"community.rabbitmq", "community.routeros", "community.sap", "community.sap_libs",
	"community.skydive", "community.sops", "community.vmware", "community.windows", "community.zabbix",
	"containers.podman", "cyberark.conjur", "cyberark.pas", "dellemc.enterprise_sonic",
	"dellemc.openmanage", "dellemc.os10", "dellemc.os6", "dellemc.os9", "dellemc.powerflex",
	"dellemc.unity", "f5networks.f5_modules", "fortinet.fortimanager", "fortinet.fortios", "frr.frr",
	"gluster.gluster", "google.cloud", "grafana.grafana", "hetzner.hcloud", "hpe.nimble", "ibm.qradar",
	"ibm.spectrum_virtualize", "ibm.storage_virtualize", "infinidat.infinibox", "infoblox.nios_modules",
	"inspur.ispim", "inspur.sm", "junipernetworks.junos", "kaytus.ksmanage", "kubernetes.core",
	"kubevirt.core", "lowlydba.sqlserver", "mellanox.onyx", "microsoft.ad", "microsoft.iis", "netapp.aws",
	"netapp.azure", "netapp.cloudmanager", "netapp.elementsw", "netapp.ontap", "netapp.storagegrid",
	"netapp.um_info", "netapp_eseries.santricity", "netbox.netbox", "ngine_io.cloudstack",
	"ngine_io.exoscale", "ngine_io.vultr", "openstack.cloud", "openvswitch.openvswitch", "ovirt.ovirt",
	"purestorage.flasharray", "purestorage.flashblade", "purestorage.fusion", "sensu.sensu_go",
	"servicenow.servicenow", "splunk.es", "t_systems_mms.icinga_director", "telekom_mms.icinga_director",
	"theforeman.foreman", "vmware.vmware", "vmware.vmware_rest", "vultr.cloud", "vyos.vyos",
	"wti.remote" };

static bool family_known(const char *name)
{
	const char *end = strchr(name, '_');
	size_t n = end == NULL ? 0 : (size_t)(end - name);
	for (size_t i = 0; n > 0 && i < HF_COUNT(families); i++)
		if (strlen(families[i]) == n && strncmp(families[i], name, n) == 0)
			return true;
	return false;
}

bool hf_action_is_known(const char *name)
{
	const char *s = hf_action_short(name);
	if (strchr(s, '.') == NULL) {
		for (size_t i = 0; i < HF_COUNT(names); i++)
			if (strcmp(names[i], s) == 0)
				return true;
		return family_known(s);
	}
	for (size_t i = 0; i < HF_COUNT(collections); i++) {
		size_t n = strlen(collections[i]);
		if (strncmp(collections[i], s, n) == 0 && s[n] == '.' && s[n + 1] != '\0')
			return true;
	}
	return false;
}
