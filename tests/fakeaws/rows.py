"""Types of the other services that one row describes."""


class Row:
    def __init__(self, service, kind, create, describe, delete, key, out="", absent=("ResourceNotFoundException", "%s was not found", 404),
                 exists=("ResourceInUseException", "%s already exists", 409), state=None, deleting=None, updates=(), arn=("", ""), prefix="",
                 id_member="", ids=None, needs=None, roles=(), role_refusal=None, blockers=(), busy=("ResourceInUseException", "%s is in use"),
                 upsert=False, extra=None):
        self.service, self.kind, self.create, self.describe, self.delete = service, kind, create, describe, delete
        self.key, self.out, self.absent, self.exists, self.state, self.deleting = key, out, absent, exists, state, deleting
        self.updates, self.arn_member, self.arn, self.prefix, self.id_member, self.ids = updates, arn[0], arn[1], prefix, id_member, ids
        self.needs, self.roles, self.role_refusal = needs or {}, roles, role_refusal
        self.blockers, self.busy, self.upsert, self.extra = blockers, busy, upsert, extra or {}

    def verb(self, operation):
        if operation in self.updates:
            return "update"
        return {self.create: "create", self.describe: "describe", self.delete: "delete"}.get(operation)


def arn(service, rest):
    return f"arn:aws:{service}:us-east-1:123456789012:{rest}"


EKS_ROLE = ("InvalidParameterException", "Role with arn: %s, could not be assumed because it does not exist or the trusted entity is not correct")
SAGEMAKER_ROLE = ("ValidationException", "Could not assume role %s. Please ensure that the role exists and allows the principal")
SAGEMAKER = dict(absent=("ValidationException", "Could not find entity \"%s\" (RecordNotFound)"), exists=("ValidationException", "Cannot create already existing %s"))
NOTEBOOK = dict(absent=("ValidationException", "RecordNotFound: %s"), exists=("ValidationException", "%s already exists"))
ROWS = [
    Row("eks", "eks_cluster", "CreateCluster", "DescribeCluster", "DeleteCluster", ["name"], "cluster", state=("status", ["CREATING", "ACTIVE"]), deleting="DELETING",
        updates=("UpdateClusterVersion", "UpdateClusterConfig"), arn=("arn", arn("eks", "cluster/%(id)s")), roles=["roleArn"], role_refusal=EKS_ROLE, blockers=["nodegroup"],
        busy=("ResourceInUseException", "Cluster %s has nodegroups attached"), extra={"endpoint": "https://eks.test", "certificateAuthority": {"data": "Q0E="}}),
    Row("eks", "nodegroup", "CreateNodegroup", "DescribeNodegroup", "DeleteNodegroup", ["clusterName", "nodegroupName"], "nodegroup", state=("status", ["CREATING", "ACTIVE"]),
        deleting="DELETING", updates=("UpdateNodegroupConfig", "UpdateNodegroupVersion"), arn=("nodegroupArn", arn("eks", "nodegroup/%(id)s")), needs={"clusterName": "eks_cluster"},
        roles=["nodeRole"], role_refusal=EKS_ROLE),
    Row("eks", "addon", "CreateAddon", "DescribeAddon", "DeleteAddon", ["clusterName", "addonName"], "addon", state=("status", ["CREATING", "ACTIVE"]), deleting="DELETING",
        updates=("UpdateAddon",), arn=("addonArn", arn("eks", "addon/%(id)s")), needs={"clusterName": "eks_cluster"}),
    Row("eks", "access_entry", "CreateAccessEntry", "DescribeAccessEntry", "DeleteAccessEntry", ["clusterName", "principalArn"], "accessEntry", updates=("UpdateAccessEntry",),
        arn=("accessEntryArn", arn("eks", "access-entry/%(id)s")), needs={"clusterName": "eks_cluster"}),
    Row("eks", "pod_identity", "CreatePodIdentityAssociation", "DescribePodIdentityAssociation", "DeletePodIdentityAssociation", ["associationId"], "association", prefix="a-",
        id_member="associationId", updates=("UpdatePodIdentityAssociation",), arn=("associationArn", arn("eks", "podidentityassociation/%(id)s")), needs={"clusterName": "eks_cluster"}),
    Row("sagemaker", "notebook_lifecycle", "CreateNotebookInstanceLifecycleConfig", "DescribeNotebookInstanceLifecycleConfig", "DeleteNotebookInstanceLifecycleConfig",
        ["NotebookInstanceLifecycleConfigName"], updates=("UpdateNotebookInstanceLifecycleConfig",), arn=("NotebookInstanceLifecycleConfigArn", arn("sagemaker", "notebook-instance-lifecycle-config/%(id)s")), **NOTEBOOK),
    Row("sagemaker", "notebook", "CreateNotebookInstance", "DescribeNotebookInstance", None, ["NotebookInstanceName"], state=("NotebookInstanceStatus", ["Pending", "InService"]),
        arn=("NotebookInstanceArn", arn("sagemaker", "notebook-instance/%(id)s")), roles=["RoleArn"], role_refusal=SAGEMAKER_ROLE, **NOTEBOOK),
    Row("sagemaker", "sm_model", "CreateModel", "DescribeModel", "DeleteModel", ["ModelName"], arn=("ModelArn", arn("sagemaker", "model/%(id)s")), roles=["ExecutionRoleArn"], role_refusal=SAGEMAKER_ROLE, **SAGEMAKER),
    Row("sagemaker", "endpoint_config", "CreateEndpointConfig", "DescribeEndpointConfig", "DeleteEndpointConfig", ["EndpointConfigName"], arn=("EndpointConfigArn", arn("sagemaker", "endpoint-config/%(id)s")), **SAGEMAKER),
    Row("sagemaker", "endpoint", "CreateEndpoint", "DescribeEndpoint", "DeleteEndpoint", ["EndpointName"], updates=("UpdateEndpoint",), state=("EndpointStatus", ["Creating", "InService"]), deleting="Deleting",
        arn=("EndpointArn", arn("sagemaker", "endpoint/%(id)s")), **SAGEMAKER),
    Row("sagemaker", "hyperpod", "CreateCluster", "DescribeCluster", "DeleteCluster", ["ClusterName"], updates=("UpdateCluster",), state=("ClusterStatus", ["Creating", "InService"]), deleting="Deleting",
        arn=("ClusterArn", arn("sagemaker", "cluster/%(id)s")), absent=("ResourceNotFound", "Cluster %s not found"), exists=("ResourceInUse", "Cluster %s already exists")),
    Row("sagemaker", "user_profile", "CreateUserProfile", "DescribeUserProfile", "DeleteUserProfile", ["DomainId", "UserProfileName"], updates=("UpdateUserProfile",), state=("Status", ["Pending", "InService"]), deleting="Deleting",
        arn=("UserProfileArn", arn("sagemaker", "user-profile/%(id)s")), absent=("ResourceNotFound", "%s not found"), exists=("ResourceInUse", "%s already exists")),
    Row("sagemaker", "domain", "CreateDomain", "DescribeDomain", "DeleteDomain", ["DomainId"], prefix="d-", id_member="DomainId", updates=("UpdateDomain",), state=("Status", ["Pending", "InService"]), deleting="Deleting",
        arn=("DomainArn", arn("sagemaker", "domain/%(id)s")), absent=("ResourceNotFound", "Domain %s not found"), blockers=["user_profile"], busy=("ResourceInUse", "Domain %s has user profiles")),
    Row("logs", "log_group", "CreateLogGroup", None, "DeleteLogGroup", ["logGroupName"], updates=("PutRetentionPolicy", "AssociateKmsKey"), arn=("arn", arn("logs", "log-group:%(id)s")), exists=("ResourceAlreadyExistsException", "%s exists")),
    Row("dynamodb", "table", "CreateTable", "DescribeTable", "DeleteTable", ["TableName"], "Table", state=("TableStatus", ["CREATING", "ACTIVE"]), deleting="DELETING", updates=("UpdateTable",),
        arn=("TableArn", arn("dynamodb", "table/%(id)s"))),
    Row("ecr", "repository", "CreateRepository", "DescribeRepositories", "DeleteRepository", ["repositoryName"], "repositories", ids="repositoryNames", updates=("PutImageTagMutability", "PutImageScanningConfiguration"),
        arn=("repositoryArn", arn("ecr", "repository/%(id)s")), absent=("RepositoryNotFoundException", "%s not found"), exists=("RepositoryAlreadyExistsException", "%s exists"), extra={"repositoryUri": "registry.test/x"}),
    Row("sns", "topic", "CreateTopic", "GetTopicAttributes", None, ["Name"], arn=("TopicArn", arn("sns", "%(id)s")), upsert=True, absent=("NotFound", "Topic does not exist %s", 404)),
    Row("kms", "kms_key", "CreateKey", "DescribeKey", None, ["KeyId"], "KeyMetadata", prefix="key-", id_member="KeyId", arn=("Arn", arn("kms", "key/%(id)s")), absent=("NotFoundException", "Key '%s' does not exist"), extra={"KeyState": "Enabled", "Enabled": True}),
    Row("efs", "file_system", None, None, "DeleteFileSystem", ["FileSystemId"], absent=("FileSystemNotFound", "File system '%s' does not exist.", 404), state=("LifeCycleState", ["creating", "available"]), deleting="deleting",
        arn=("FileSystemArn", arn("elasticfilesystem", "file-system/%(id)s")), prefix="fs-", id_member="FileSystemId", blockers=["mount_target"], busy=("FileSystemInUse", "%s has mount targets")),
    Row("efs", "mount_target", None, None, "DeleteMountTarget", ["MountTargetId"], absent=("MountTargetNotFound", "%s does not exist", 404), state=("LifeCycleState", ["creating", "available"]), deleting="deleting",
        prefix="fsmt-", id_member="MountTargetId"),
    Row("fsx", "fsx", "CreateFileSystem", "DescribeFileSystems", "DeleteFileSystem", ["FileSystemId"], "FileSystems", ids="FileSystemIds", prefix="fs-", id_member="FileSystemId", state=("Lifecycle", ["CREATING", "AVAILABLE"]), deleting="DELETING", updates=("UpdateFileSystem",),
        arn=("ResourceARN", arn("fsx", "file-system/%(id)s")), absent=("FileSystemNotFound", "File system '%s' does not exist.")),
    Row("ecs", "ecs_cluster", "CreateCluster", "DescribeClusters", "DeleteCluster", ["clusterName"], "clusters", ids="clusters", upsert=True, state=("status", ["ACTIVE"]), arn=("clusterArn", arn("ecs", "cluster/%(id)s")), absent=("ClusterNotFoundException", "Cluster %s not found.")),
]
