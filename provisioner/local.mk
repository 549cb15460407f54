noinst_LIBRARIES += %reldir%/libhf-provisioner.a
%canon_reldir%_libhf_provisioner_a_SOURCES = \
	%reldir%/adopt.c %reldir%/apply.c %reldir%/bootstrap.c %reldir%/bootstrap.h %reldir%/call.c %reldir%/compare.c \
	%reldir%/adopt.c %reldir%/apply.c %reldir%/block.c %reldir%/call.c %reldir%/capacity.c %reldir%/compare.c \
	%reldir%/engine.c %reldir%/engine.h %reldir%/explain.c %reldir%/look.c %reldir%/lookup.c %reldir%/observe.c %reldir%/plan.c %reldir%/preflight.c \
	%reldir%/engine.c %reldir%/engine.h %reldir%/look.c %reldir%/lookup.c %reldir%/observe.c %reldir%/plan.c \
	%reldir%/adopt.c %reldir%/apply.c %reldir%/call.c %reldir%/capacity.c %reldir%/compare.c \
	%reldir%/depend.c %reldir%/empty.c %reldir%/engine.c %reldir%/engine.h %reldir%/look.c %reldir%/lookup.c %reldir%/observe.c %reldir%/plan.c \
	%reldir%/resource.c %reldir%/resource.h \
	%reldir%/environment.c %reldir%/environment.h \
	%reldir%/fiber.c %reldir%/fiber.h \
	%reldir%/module.c %reldir%/price.c %reldir%/property.c %reldir%/render.c %reldir%/saved.c %reldir%/scope.h \
	%reldir%/spec.c %reldir%/spec.h %reldir%/spec_data.h \
	%reldir%/state.c %reldir%/state.h %reldir%/target.c \
	%reldir%/wire.c %reldir%/wire.h
nodist_%canon_reldir%_libhf_provisioner_a_SOURCES = %reldir%/spec_data.c

# AWS types are data: every file below resources/ is compiled in.
provisioner_types = \
	%reldir%/resources/services.yaml \
	%reldir%/resources/autoscaling/group.yaml \
	%reldir%/resources/budgets/budget.yaml \
	%reldir%/resources/cloudfront/distribution.yaml \
	%reldir%/resources/cloudwatch/alarm.yaml \
	%reldir%/resources/cloudwatch/dashboard.yaml \
	%reldir%/resources/codepipeline/pipeline.yaml \
	%reldir%/resources/dynamodb/table.yaml \
	%reldir%/resources/ec2/capacity_block.yaml \
	%reldir%/resources/ec2/capacity_reservation.yaml \
	%reldir%/resources/ec2/elastic_ip.yaml \
	%reldir%/resources/ec2/fleet.yaml \
	%reldir%/resources/ec2/flow_log.yaml \
	%reldir%/resources/ec2/hosts.yaml \
	%reldir%/resources/ec2/image.yaml \
	%reldir%/resources/ec2/instance.yaml \
	%reldir%/resources/ec2/instance_types.yaml \
	%reldir%/resources/ec2/internet_gateway.yaml \
	%reldir%/resources/ec2/key_pair.yaml \
	%reldir%/resources/ec2/launch_template.yaml \
	%reldir%/resources/ec2/nat_gateway.yaml \
	%reldir%/resources/ec2/network_acl.yaml \
	%reldir%/resources/ec2/network_acl_entry.yaml \
	%reldir%/resources/ec2/offerings.yaml \
	%reldir%/resources/ec2/placement_group.yaml \
	%reldir%/resources/ec2/route.yaml \
	%reldir%/resources/ec2/route_table.yaml \
	%reldir%/resources/ec2/route_table_association.yaml \
	%reldir%/resources/ec2/running.yaml \
	%reldir%/resources/ec2/security_group.yaml \
	%reldir%/resources/ec2/security_group_egress.yaml \
	%reldir%/resources/ec2/security_group_ingress.yaml \
	%reldir%/resources/ec2/subnet.yaml \
	%reldir%/resources/ec2/volume.yaml \
	%reldir%/resources/ec2/volume_attachment.yaml \
	%reldir%/resources/ec2/vpc.yaml \
	%reldir%/resources/ec2/vpc_endpoint.yaml \
	%reldir%/resources/ec2/zones.yaml \
	%reldir%/resources/ecr/repository.yaml \
	%reldir%/resources/ecs/cluster.yaml \
	%reldir%/resources/ecs/service.yaml \
	%reldir%/resources/ecs/task_definition.yaml \
	%reldir%/resources/efs/file_system.yaml \
	%reldir%/resources/efs/mount_target.yaml \
	%reldir%/resources/eks/access_entry.yaml \
	%reldir%/resources/eks/access_policy.yaml \
	%reldir%/resources/eks/addon.yaml \
	%reldir%/resources/eks/cluster.yaml \
	%reldir%/resources/eks/nodegroup.yaml \
	%reldir%/resources/eks/pod_identity.yaml \
	%reldir%/resources/elasticache/replication_group.yaml \
	%reldir%/resources/elasticache/subnet_group.yaml \
	%reldir%/resources/elb/listener.yaml \
	%reldir%/resources/elb/load_balancer.yaml \
	%reldir%/resources/elb/target_group.yaml \
	%reldir%/resources/fsx/file_system.yaml \
	%reldir%/resources/iam/instance_profile.yaml \
	%reldir%/resources/iam/oidc_provider.yaml \
	%reldir%/resources/iam/policy.yaml \
	%reldir%/resources/iam/role.yaml \
	%reldir%/resources/iam/role_policy.yaml \
	%reldir%/resources/iam/role_policy_attachment.yaml \
	%reldir%/resources/kms/alias.yaml \
	%reldir%/resources/kms/key.yaml \
	%reldir%/resources/logs/log_group.yaml \
	%reldir%/resources/rds/instance.yaml \
	%reldir%/resources/rds/subnet_group.yaml \
	%reldir%/resources/route53/record.yaml \
	%reldir%/resources/route53/zone.yaml \
	%reldir%/resources/s3/bucket.yaml \
	%reldir%/resources/s3/object.yaml \
	%reldir%/resources/sagemaker/cluster.yaml \
	%reldir%/resources/sagemaker/domain.yaml \
	%reldir%/resources/sagemaker/endpoint.yaml \
	%reldir%/resources/sagemaker/endpoint_config.yaml \
	%reldir%/resources/sagemaker/model.yaml \
	%reldir%/resources/sagemaker/notebook.yaml \
	%reldir%/resources/sagemaker/notebook_lifecycle.yaml \
	%reldir%/resources/sagemaker/training_job.yaml \
	%reldir%/resources/sagemaker/user_profile.yaml \
	%reldir%/resources/secretsmanager/secret.yaml \
	%reldir%/resources/servicediscovery/namespace.yaml \
	%reldir%/resources/servicequotas/quota.yaml \
	%reldir%/resources/sns/topic.yaml \
	%reldir%/resources/ssm/association.yaml \
	%reldir%/resources/ssm/document.yaml \
	%reldir%/resources/ssm/parameter.yaml \
	%reldir%/resources/ssm/value.yaml \
	%reldir%/resources/sts/account.yaml
examplesdir = $(docdir)/examples
dist_examples_DATA = %reldir%/examples/eks.yaml %reldir%/examples/gpu-fleet.yaml %reldir%/examples/sagemaker.yaml
EXTRA_DIST += %reldir%/embed.sh $(provisioner_types)
CLEANFILES += %reldir%/spec_data.c
%reldir%/spec_data.c: $(provisioner_types) %reldir%/embed.sh
	@mkdir -p $(@D)
	$(AM_V_GEN)$(SHELL) $(srcdir)/%reldir%/embed.sh $(srcdir)/%reldir%/resources >$@.new && mv $@.new $@
# What new machines run lies in shell files and is part of the library.
nodist_%canon_reldir%_libhf_provisioner_a_SOURCES += %reldir%/bootstrap_text.inc
bootstrap_texts = packaging/bootstrap/user-data.sh packaging/bootstrap/install.sh
%reldir%/bootstrap_text.inc: packaging/bootstrap/embed.awk $(bootstrap_texts)
	$(AM_V_GEN)mkdir -p $(@D) && $(AWK) -f $(srcdir)/packaging/bootstrap/embed.awk \
		$(srcdir)/packaging/bootstrap/user-data.sh $(srcdir)/packaging/bootstrap/install.sh >$@.new && mv $@.new $@
%reldir%/bootstrap.$(OBJEXT): %reldir%/bootstrap_text.inc
CLEANFILES += %reldir%/bootstrap_text.inc
