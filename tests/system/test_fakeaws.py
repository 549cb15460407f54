"""The scripted AWS is honest: what it answers is what botocore, which people use with the real one, reads."""
import boto3
import botocore.config
import botocore.exceptions
import pytest

import fakeaws
from fakeaws.server import ACCESS, SECRET


@pytest.fixture
def fake():
    f = fakeaws.Fake()
    yield f
    f.close()
    assert not f.errors, f.errors[0]


@pytest.fixture
def client(fake):
    def make(service, secret=SECRET):
        return boto3.client(service, endpoint_url=fake.url, region_name="us-east-1", aws_access_key_id=ACCESS, aws_secret_access_key=secret,
                            config=botocore.config.Config(retries={"max_attempts": 0}, request_checksum_calculation="when_required", response_checksum_validation="when_required"))
    return make


def refused(call, **arguments):
    with pytest.raises(botocore.exceptions.ClientError) as e:
        call(**arguments)
    return e.value.response["Error"]["Code"]


def tags(kind, **t):
    return [{"ResourceType": kind, "Tags": [{"Key": k, "Value": v} for k, v in t.items()]}]


def test_network(client):
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=tags("vpc", team="ml"))["Vpc"]
    assert vpc["State"] == "available" and vpc["Tags"] == [{"Key": "team", "Value": "ml"}]
    assert ec2.describe_vpcs(Filters=[{"Name": "tag:team", "Values": ["ml"]}])["Vpcs"][0]["VpcId"] == vpc["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc["VpcId"], CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    assert refused(ec2.create_subnet, VpcId=vpc["VpcId"], CidrBlock="10.0.1.0/24") == "InvalidSubnet.Conflict"
    assert refused(ec2.delete_vpc, VpcId=vpc["VpcId"]) == "DependencyViolation"
    table = ec2.create_route_table(VpcId=vpc["VpcId"], ClientToken="a")["RouteTable"]["RouteTableId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc["VpcId"])
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    assert refused(ec2.create_route, RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway) == "RouteAlreadyExists"
    assert ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"][0]["GatewayId"] == gateway
    group = ec2.create_security_group(GroupName="g", Description="d", VpcId=vpc["VpcId"])["GroupId"]
    rule = dict(GroupId=group, IpPermissions=[{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}])
    made = ec2.authorize_security_group_ingress(**rule)["SecurityGroupRules"][0]
    assert made["CidrIpv4"] == "10.0.0.0/8" and refused(ec2.authorize_security_group_ingress, **rule) == "InvalidPermission.Duplicate"
    ec2.delete_subnet(SubnetId=subnet)
    assert refused(ec2.describe_subnets, SubnetIds=[subnet]) == "InvalidSubnetID.NotFound"


def test_tokens_are_honest(client, fake):
    ec2 = client("ec2")
    ask = dict(ImageId="ami-1", InstanceType="t3.micro", MinCount=1, MaxCount=1, ClientToken="one")
    first = ec2.run_instances(**ask)["Instances"][0]["InstanceId"]
    assert ec2.run_instances(**ask)["Instances"][0]["InstanceId"] == first and len(fake.world.all("instance")) == 1
    assert refused(ec2.run_instances, **{**ask, "InstanceType": "t3.large"}) == "IdempotentParameterMismatch"
    ec2.terminate_instances(InstanceIds=[first])
    assert refused(ec2.run_instances, **ask) == "IdempotentInstanceTerminated"
    efs = client("efs")
    made = efs.create_file_system(CreationToken="x")["FileSystemId"]
    assert refused(efs.create_file_system, CreationToken="x") == "FileSystemAlreadyExists"
    assert efs.describe_file_systems(CreationToken="x")["FileSystems"][0]["FileSystemId"] == made


def test_capacity_runs_out(client, fake):
    ec2 = client("ec2")
    fake.world.capacity["p5.48xlarge", "us-east-1a", "spot"] = 1
    ask = dict(ImageId="ami-1", InstanceType="p5.48xlarge", MinCount=1, MaxCount=4, InstanceMarketOptions={"MarketType": "spot"}, Placement={"AvailabilityZone": "us-east-1a"})
    assert len(ec2.run_instances(**ask)["Instances"]) == 1
    assert refused(ec2.run_instances, **ask) == "InsufficientInstanceCapacity"


def test_fleets_and_blocks(client, fake):
    """A fleet's failures come with its successes; an offer is bought as often as it is asked for."""
    ec2 = client("ec2")
    template = ec2.create_launch_template(LaunchTemplateName="pool", LaunchTemplateData={"ImageId": "ami-1", "InstanceType": "p5.48xlarge"})["LaunchTemplate"]["LaunchTemplateId"]
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{i}.0/24", AvailabilityZone=f"us-east-1{z}")["Subnet"]["SubnetId"] for i, z in enumerate("ab")]
    fake.world.capacity["p5.48xlarge", "us-east-1a", "spot"] = 0
    ask = dict(Type="instant", ClientToken="f", TargetCapacitySpecification={"TotalTargetCapacity": 2, "DefaultTargetCapacityType": "spot"},
               LaunchTemplateConfigs=[{"LaunchTemplateSpecification": {"LaunchTemplateId": template, "Version": "$Default"}, "Overrides": [{"InstanceType": "p5.48xlarge", "SubnetId": s} for s in subnets]}])
    made = ec2.create_fleet(**ask)
    assert made["Errors"][0]["ErrorCode"] == "InsufficientInstanceCapacity" and made["Errors"][0]["LaunchTemplateAndOverrides"]["Overrides"]["SubnetId"] == subnets[0]
    assert len(made["Instances"][0]["InstanceIds"]) == 2 and ec2.create_fleet(**ask)["FleetId"] == made["FleetId"] and len(fake.world.all("instance")) == 2
    assert refused(ec2.create_fleet, **{**ask, "Type": "instant", "TargetCapacitySpecification": {"TotalTargetCapacity": 3, "DefaultTargetCapacityType": "spot"}}) == "IdempotentParameterMismatch"
    assert ec2.delete_fleets(FleetIds=[made["FleetId"]], TerminateInstances=True)["SuccessfulFleetDeletions"][0]["FleetId"] == made["FleetId"]
    assert {i.state for i in fake.world.all("instance")} <= {"shutting-down", "terminated"}
    fake.world.blocks = {("p5.48xlarge", "us-east-1b"): 100}
    offer = ec2.describe_capacity_block_offerings(InstanceType="p5.48xlarge", InstanceCount=2, CapacityDurationHours=24)["CapacityBlockOfferings"][0]
    assert offer["UpfrontFee"] == "200" and (offer["EndDate"] - offer["StartDate"]).days == 1
    ids = {ec2.purchase_capacity_block(CapacityBlockOfferingId=offer["CapacityBlockOfferingId"], InstancePlatform="Linux/UNIX")["CapacityReservation"]["CapacityReservationId"] for _ in range(2)}
    assert len(ids) == 2 and ec2.describe_capacity_reservations(CapacityReservationIds=sorted(ids))["CapacityReservations"][0]["ReservationType"] == "capacity-block"


def test_states_take_their_time(client, fake):
    fake.world.delay = 0.2
    iam, eks = client("iam"), client("eks")
    arn = iam.create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    assert eks.create_cluster(name="c", roleArn=arn, resourcesVpcConfig={"subnetIds": []})["cluster"]["status"] == "CREATING"
    waiter = eks.get_waiter("cluster_active")
    waiter.config.delay = 0.1
    waiter.wait(name="c")
    assert eks.delete_cluster(name="c")["cluster"]["status"] == "DELETING"
    waiter = eks.get_waiter("cluster_deleted")
    waiter.config.delay = 0.1
    waiter.wait(name="c")


def test_objects_are_written_on_conditions(client):
    s3 = client("s3")
    s3.create_bucket(Bucket="b")
    tag = s3.put_object(Bucket="b", Key="k/1", Body=b"one", IfNoneMatch="*")["ETag"]
    assert refused(s3.put_object, Bucket="b", Key="k/1", Body=b"two", IfNoneMatch="*") == "PreconditionFailed"
    s3.put_object(Bucket="b", Key="k/1", Body=b"two", IfMatch=tag)
    assert refused(s3.put_object, Bucket="b", Key="k/1", Body=b"three", IfMatch=tag) == "PreconditionFailed"
    assert s3.get_object(Bucket="b", Key="k/1")["Body"].read() == b"two"
    assert [o["Key"] for o in s3.list_objects_v2(Bucket="b", Prefix="k/")["Contents"]] == ["k/1"]
    assert refused(s3.get_object, Bucket="b", Key="k/2") == "NoSuchKey"


def test_other_services(client):
    sm, ssm, sns, logs, ecr, dynamo = (client(s) for s in ("sagemaker", "ssm", "sns", "logs", "ecr", "dynamodb"))
    assert "model/m" in sm.create_model(ModelName="m", PrimaryContainer={"Image": "i"})["ModelArn"]
    assert sm.describe_model(ModelName="m")["PrimaryContainer"]["Image"] == "i"
    assert refused(sm.describe_model, ModelName="n") == "ValidationException"
    ssm.put_parameter(Name="/p", Value="1", Type="String")
    assert refused(ssm.put_parameter, Name="/p", Value="2", Type="String") == "ParameterAlreadyExists"
    assert ssm.get_parameter(Name="/p")["Parameter"]["Version"] == 1
    topic = sns.create_topic(Name="t", Tags=[{"Key": "a", "Value": "b"}])["TopicArn"]
    assert sns.list_tags_for_resource(ResourceArn=topic)["Tags"] == [{"Key": "a", "Value": "b"}]
    logs.create_log_group(logGroupName="/g")
    logs.put_retention_policy(logGroupName="/g", retentionInDays=7)
    assert logs.describe_log_groups(logGroupNamePrefix="/g")["logGroups"][0]["retentionInDays"] == 7
    assert ecr.create_repository(repositoryName="rr")["repository"]["repositoryName"] == "rr"
    assert refused(ecr.describe_repositories, repositoryNames=["xx"]) == "RepositoryNotFoundException"
    made = dynamo.create_table(TableName="t", AttributeDefinitions=[{"AttributeName": "i", "AttributeType": "S"}], KeySchema=[{"AttributeName": "i", "KeyType": "HASH"}], BillingMode="PAY_PER_REQUEST")
    assert made["TableDescription"]["TableName"] == "t" and dynamo.describe_table(TableName="t")["Table"]["TableStatus"] == "ACTIVE"


def test_caches_jobs_and_associations(client, fake):
    ec2, cache, sm, ssm = (client(s) for s in ("ec2", "elasticache", "sagemaker", "ssm"))
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    group = cache.create_cache_subnet_group(CacheSubnetGroupName="g", CacheSubnetGroupDescription="d", SubnetIds=[subnet])["CacheSubnetGroup"]
    assert group["Subnets"][0]["SubnetIdentifier"] == subnet and refused(cache.describe_cache_subnet_groups, CacheSubnetGroupName="x") == "CacheSubnetGroupNotFoundFault"
    cache.create_replication_group(ReplicationGroupId="c", ReplicationGroupDescription="cache", CacheSubnetGroupName="g", Tags=[{"Key": "a", "Value": "b"}])
    made = cache.describe_replication_groups(ReplicationGroupId="c")["ReplicationGroups"][0]
    assert (made["Status"], made["Description"]) == ("available", "cache") and cache.list_tags_for_resource(ResourceName=made["ARN"])["TagList"] == [{"Key": "a", "Value": "b"}]
    assert refused(cache.delete_cache_subnet_group, CacheSubnetGroupName="g") == "CacheSubnetGroupInUse"
    job = dict(TrainingJobName="j", RoleArn="arn:aws:iam::123456789012:role/roles", AlgorithmSpecification={"TrainingInputMode": "File"}, OutputDataConfig={"S3OutputPath": "s3://o"},
               ResourceConfig={"VolumeSizeInGB": 1}, StoppingCondition={"MaxRuntimeInSeconds": 60})
    sm.create_training_job(**job)
    assert refused(sm.create_training_job, **job) == "ResourceInUse" and sm.describe_training_job(TrainingJobName="j")["TrainingJobStatus"] == "InProgress"
    assert refused(sm.delete_training_job, TrainingJobName="j") == "ValidationException"
    id = ssm.create_association(Name="AWS-RunShellScript", AssociationName="n", ScheduleExpression="rate(1 day)")["AssociationDescription"]["AssociationId"]
    ssm.update_association(AssociationId=id, Name="AWS-RunShellScript", AssociationName="n")
    assert "ScheduleExpression" not in ssm.list_associations(AssociationFilterList=[{"key": "AssociationName", "value": "n"}])["Associations"][0]
    quotas = client("service-quotas")
    assert quotas.get_service_quota(ServiceCode="ec2", QuotaCode="L-417A185B")["Quota"]["Value"] == 5000.0
    assert refused(quotas.get_service_quota, ServiceCode="ec2", QuotaCode="L-0") == "NoSuchResourceException"
    fake.world.offerings["p5.48xlarge"] = ["us-east-1b"]
    assert [o["Location"] for o in ec2.describe_instance_type_offerings(LocationType="availability-zone", Filters=[{"Name": "instance-type", "Values": ["p5.48xlarge"]}])["InstanceTypeOfferings"]] == ["us-east-1b"]
    assert ec2.describe_instance_types(InstanceTypes=["p5.48xlarge"])["InstanceTypes"][0]["VCpuInfo"]["DefaultVCpus"] == 192


def test_services_and_events(client, fake):
    """As botocore reads them: a service without tasks, one that moves to other tasks, one that is not there; events with their time."""
    ecs, cache = client("ecs"), client("elasticache")
    made = ecs.create_service(cluster="c", serviceName="s", taskDefinition="first", desiredCount=2, clientToken="t", tags=[{"key": "a", "value": "b"}])["service"]
    assert (made["status"], made["runningCount"], made["tags"], len(made["deployments"])) == ("ACTIVE", 0, [{"key": "a", "value": "b"}], 1)
    assert len(ecs.update_service(cluster="c", service="s", taskDefinition="second")["service"]["deployments"]) == 2
    fake.world.get("ecs_service", "s")["events"] = [{"id": "1", "createdAt": 1, "message": "m"}]
    assert ecs.describe_services(cluster="c", services=["s"])["services"][0]["events"][0]["message"] == "m"
    assert ecs.delete_service(cluster="c", service="s", force=True)["service"]["status"] == "INACTIVE"
    assert ecs.describe_services(cluster="c", services=["s"])["failures"][0]["reason"] == "MISSING"
    cache.create_replication_group(ReplicationGroupId="c", ReplicationGroupDescription="cache")
    fake.world.get("cache", "c")["events"] = [("2026-01-01T00:00:00Z", "m")]
    told = cache.describe_events(SourceIdentifier="c", SourceType="replication-group", Duration=60)["Events"]
    assert [(e["Message"], e["Date"].year) for e in told] == [("m", 2026)]


def test_signatures_are_checked(client, fake):
    assert refused(client("ec2", "wrong").describe_vpcs) == "SignatureDoesNotMatch"
    assert refused(client("eks", "wrong").list_clusters) == "SignatureDoesNotMatch"
    assert fake.journal == []


def test_throttling_and_the_journal(client, fake):
    fake.throttled = 1.0
    assert refused(client("ec2").describe_vpcs) == "RequestLimitExceeded"
    assert refused(client("ecr").describe_repositories) == "ThrottlingException"
    assert [(c.operation, c.answer) for c in fake.journal] == [("DescribeVpcs", "RequestLimitExceeded"), ("DescribeRepositories", "ThrottlingException")]
