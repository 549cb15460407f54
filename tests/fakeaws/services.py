"""The other services, where a row does not say it."""
import hashlib
import json
import time
import urllib.parse

from .wire import Refusal

MANAGED = "arn:aws:iam::aws:policy/"


class Services:
    # --- sts, tagging ---

    def sts_GetCallerIdentity(self):
        return {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/test", "UserId": "AIDA"}

    def resourcegroupstaggingapi_GetResources(self, TagFilters=(), **_):
        rows = []
        for kind in self.things:
            for t in self.all(kind):
                if all(t.tags.get(f["Key"]) in f["Values"] for f in TagFilters):
                    rows.append({"ResourceARN": next((v for v in t.values() if isinstance(v, str) and v.startswith("arn:")), f"arn:aws:x:us-east-1:123456789012:{t.id}"),
                                 "Tags": [{"Key": k, "Value": v} for k, v in t.tags.items()]})
        return {"ResourceTagMappingList": rows, "PaginationToken": ""}

    # --- auto scaling ---

    def autoscaling_CreateAutoScalingGroup(self, AutoScalingGroupName, MinSize, MaxSize, LaunchTemplate, Tags=(), DesiredCapacity=None, **a):
        from .world import Thing
        if self.get("group", AutoScalingGroupName) is not None:
            raise Refusal("AlreadyExists", f"AutoScalingGroup by this name already exists - {AutoScalingGroupName}")
        self.ec2_need("launch_template", LaunchTemplate["LaunchTemplateId"])
        self.put(Thing("group", AutoScalingGroupName, {
            "AutoScalingGroupName": AutoScalingGroupName, "AutoScalingGroupARN": f"arn:aws:autoscaling:us-east-1:123456789012:group/{AutoScalingGroupName}",
            "MinSize": MinSize, "MaxSize": MaxSize, "DesiredCapacity": DesiredCapacity or MinSize, "LaunchTemplate": LaunchTemplate, "DefaultCooldown": 300,
            "AvailabilityZones": ["us-east-1a"], "HealthCheckType": "EC2", "CreatedTime": "2026-01-01T00:00:00Z", "Instances": [], "activities": [], **a,
        }, {t["Key"]: t["Value"] for t in Tags}))

    def autoscaling_DescribeAutoScalingGroups(self, AutoScalingGroupNames=(), **_):
        found = [t for t in self.all("group") if not AutoScalingGroupNames or t.id in AutoScalingGroupNames]
        return {"AutoScalingGroups": [{**{k: v for k, v in t.items() if k != "activities"}, "Tags": [
            {"ResourceId": t.id, "ResourceType": "auto-scaling-group", "Key": k, "Value": v, "PropagateAtLaunch": True} for k, v in t.tags.items()]} for t in found]}

    def autoscaling_DescribeScalingActivities(self, AutoScalingGroupName, **_):
        return {"Activities": self.get("group", AutoScalingGroupName)["activities"]}

    def autoscaling_DeleteAutoScalingGroup(self, AutoScalingGroupName, **_):
        self.drop(self.get("group", AutoScalingGroupName))

    # --- iam ---

    def iam_thing(self, kind, name):
        thing = self.get(kind, name)
        if thing is None:
            raise Refusal("NoSuchEntity", f"The {kind} with name {name} cannot be found.", 404)
        return thing

    def iam_make(self, kind, id, members, Tags=()):
        from .world import Thing
        if self.get(kind, id) is not None:
            raise Refusal("EntityAlreadyExists", f"{kind} with name {id} already exists.", 409)
        return self.put(Thing(kind, id, members, {t["Key"]: t["Value"] for t in Tags}))

    def iam_view(self, thing):
        return {**thing, "Tags": [{"Key": k, "Value": v} for k, v in thing.tags.items()]}

    def iam_CreateRole(self, RoleName, AssumeRolePolicyDocument, Path="/", Tags=(), **rest):
        json.loads(AssumeRolePolicyDocument)
        role = self.iam_make("role", RoleName, {"RoleName": RoleName, "Arn": f"arn:aws:iam::123456789012:role{Path}{RoleName}", "RoleId": "AROA" + RoleName, "Path": Path,
                                                "CreateDate": "2026-01-01T00:00:00Z", "AssumeRolePolicyDocument": AssumeRolePolicyDocument, "inline": {}, "attached": [], **rest}, Tags)
        return self.iam_GetRole(role.id)

    def iam_GetRole(self, RoleName):
        role = self.iam_view(self.iam_thing("role", RoleName))
        return {"Role": {**role, "AssumeRolePolicyDocument": urllib.parse.quote(role["AssumeRolePolicyDocument"])}}

    def iam_UpdateAssumeRolePolicy(self, RoleName, PolicyDocument):
        self.iam_thing("role", RoleName)["AssumeRolePolicyDocument"] = PolicyDocument

    def iam_UpdateRole(self, RoleName, **m):
        self.iam_thing("role", RoleName).update(m)
        return {}

    def iam_DeleteRole(self, RoleName):
        role = self.iam_thing("role", RoleName)
        if role["inline"] or role["attached"] or any(r["RoleName"] == RoleName for p in self.all("instance_profile") for r in p["Roles"]):
            raise Refusal("DeleteConflict", "Cannot delete entity, must detach all policies first.", 409)
        self.drop(role)

    def iam_PutRolePolicy(self, RoleName, PolicyName, PolicyDocument):
        json.loads(PolicyDocument)
        self.iam_thing("role", RoleName)["inline"][PolicyName] = PolicyDocument

    def iam_GetRolePolicy(self, RoleName, PolicyName):
        inline = self.iam_thing("role", RoleName)["inline"]
        if PolicyName not in inline:
            raise Refusal("NoSuchEntity", f"The role policy with name {PolicyName} cannot be found.", 404)
        return {"RoleName": RoleName, "PolicyName": PolicyName, "PolicyDocument": urllib.parse.quote(inline[PolicyName])}

    def iam_DeleteRolePolicy(self, RoleName, PolicyName):
        self.iam_GetRolePolicy(RoleName, PolicyName)
        del self.iam_thing("role", RoleName)["inline"][PolicyName]

    def iam_AttachRolePolicy(self, RoleName, PolicyArn):
        attached = self.iam_thing("role", RoleName)["attached"]
        if not PolicyArn.startswith(MANAGED):
            self.iam_thing("policy", PolicyArn)
        if PolicyArn not in attached:
            attached.append(PolicyArn)

    def iam_DetachRolePolicy(self, RoleName, PolicyArn):
        attached = self.iam_thing("role", RoleName)["attached"]
        if PolicyArn not in attached:
            raise Refusal("NoSuchEntity", f"Policy {PolicyArn} was not found.", 404)
        attached.remove(PolicyArn)

    def iam_ListAttachedRolePolicies(self, RoleName, **_):
        return {"AttachedPolicies": [{"PolicyArn": a, "PolicyName": a.rpartition("/")[2]} for a in self.iam_thing("role", RoleName)["attached"]], "IsTruncated": False}

    def iam_CreatePolicy(self, PolicyName, PolicyDocument, Path="/", Tags=(), **rest):
        json.loads(PolicyDocument)
        arn = f"arn:aws:iam::123456789012:policy{Path}{PolicyName}"
        self.iam_make("policy", arn, {"PolicyName": PolicyName, "Arn": arn, "Path": Path, "DefaultVersionId": "v1", "document": PolicyDocument, **rest}, Tags)
        return self.iam_GetPolicy(arn)

    def iam_GetPolicy(self, PolicyArn):
        return {"Policy": self.iam_view(self.iam_thing("policy", PolicyArn))}

    def iam_DeletePolicy(self, PolicyArn):
        policy = self.iam_thing("policy", PolicyArn)
        if any(PolicyArn in r["attached"] for r in self.all("role")):
            raise Refusal("DeleteConflict", "Cannot delete a policy attached to entities.", 409)
        self.drop(policy)

    def iam_CreateInstanceProfile(self, InstanceProfileName, Path="/", Tags=()):
        self.iam_make("instance_profile", InstanceProfileName, {"InstanceProfileName": InstanceProfileName, "Path": Path, "Roles": [], "InstanceProfileId": "AIPA",
                                                                "CreateDate": "2026-01-01T00:00:00Z", "Arn": f"arn:aws:iam::123456789012:instance-profile{Path}{InstanceProfileName}"}, Tags)
        return self.iam_GetInstanceProfile(InstanceProfileName)

    def iam_GetInstanceProfile(self, InstanceProfileName):
        return {"InstanceProfile": self.iam_view(self.iam_thing("instance_profile", InstanceProfileName))}

    def iam_AddRoleToInstanceProfile(self, InstanceProfileName, RoleName):
        profile, role = self.iam_thing("instance_profile", InstanceProfileName), self.iam_thing("role", RoleName)
        if profile["Roles"]:
            raise Refusal("LimitExceeded", "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1", 409)
        profile["Roles"] = [{k: role[k] for k in ("RoleName", "Arn", "RoleId", "Path", "CreateDate")}]

    def iam_RemoveRoleFromInstanceProfile(self, InstanceProfileName, RoleName):
        profile = self.iam_thing("instance_profile", InstanceProfileName)
        if not profile["Roles"]:
            raise Refusal("NoSuchEntity", f"Role {RoleName} cannot be found in the profile.", 404)
        profile["Roles"] = []

    def iam_DeleteInstanceProfile(self, InstanceProfileName):
        profile = self.iam_thing("instance_profile", InstanceProfileName)
        if profile["Roles"]:
            raise Refusal("DeleteConflict", "Cannot delete entity, must remove roles from instance profile first.", 409)
        self.drop(profile)

    def iam_tagging(self, kind, key, a, adding):
        thing = self.iam_thing(kind, a[key])
        for t in a.get("Tags", []):
            thing.tags[t["Key"]] = t["Value"]
        for k in a.get("TagKeys", []):
            thing.tags.pop(k, None)

    def __getattr__(self, name):
        kinds = {"Role": ("role", "RoleName"), "InstanceProfile": ("instance_profile", "InstanceProfileName"), "Policy": ("policy", "PolicyArn")}
        for verb in ("Tag", "Untag"):
            if name.startswith(f"iam_{verb}") and name[4 + len(verb):] in kinds:
                kind, key = kinds[name[4 + len(verb):]]
                return lambda **a: self.iam_tagging(kind, key, a, verb == "Tag")
        raise AttributeError(name)

    # --- s3 ---

    def s3_bucket(self, name):
        bucket = self.get("bucket", name)
        if bucket is None:
            raise Refusal("NoSuchBucket", "The specified bucket does not exist", 404)
        return bucket

    def s3_CreateBucket(self, Bucket, **_):
        from .world import Thing
        if self.get("bucket", Bucket) is None:
            self.put(Thing("bucket", Bucket, {"settings": {}}))
        return {"Location": "/" + Bucket}

    def s3_HeadBucket(self, Bucket):
        self.s3_bucket(Bucket)
        return {}

    def s3_DeleteBucket(self, Bucket):
        if any(b == Bucket for b, _ in self.objects):
            raise Refusal("BucketNotEmpty", "The bucket you tried to delete is not empty", 409)
        self.drop(self.s3_bucket(Bucket))

    def s3_GetBucketLocation(self, Bucket):
        self.s3_bucket(Bucket)
        return {"LocationConstraint": ""}

    def s3_PutBucketTagging(self, Bucket, Tagging, **_):
        self.s3_bucket(Bucket).tags = {t["Key"]: t["Value"] for t in Tagging["TagSet"]}

    def s3_GetBucketTagging(self, Bucket):
        tags = self.s3_bucket(Bucket).tags
        if not tags:
            raise Refusal("NoSuchTagSet", "The TagSet does not exist", 404)
        return {"TagSet": [{"Key": k, "Value": v} for k, v in tags.items()]}

    def s3_setting(self, Bucket, name, value):
        self.s3_bucket(Bucket)["settings"][name] = value

    def s3_PutBucketVersioning(self, Bucket, VersioningConfiguration, **_):
        self.s3_setting(Bucket, "versioning", VersioningConfiguration)

    def s3_GetBucketVersioning(self, Bucket):
        return self.s3_bucket(Bucket)["settings"].get("versioning", {})

    def s3_PutBucketEncryption(self, Bucket, ServerSideEncryptionConfiguration, **_):
        self.s3_setting(Bucket, "encryption", ServerSideEncryptionConfiguration)

    def s3_PutPublicAccessBlock(self, Bucket, PublicAccessBlockConfiguration, **_):
        self.s3_setting(Bucket, "access", PublicAccessBlockConfiguration)

    def s3_PutBucketPolicy(self, Bucket, Policy, **_):
        self.s3_setting(Bucket, "policy", json.loads(Policy))

    def s3_PutBucketLifecycleConfiguration(self, Bucket, LifecycleConfiguration, **_):
        self.s3_setting(Bucket, "lifecycle", LifecycleConfiguration)

    def s3_PutObject(self, Bucket, Key, Body=b"", IfMatch=None, IfNoneMatch=None, **_):
        self.s3_bucket(Bucket)
        old = self.objects.get((Bucket, Key))
        if IfNoneMatch == "*" and old is not None:
            raise Refusal("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412)
        if IfMatch is not None and old is None:
            raise Refusal("NoSuchKey", "The specified key does not exist.", 404)
        if IfMatch is not None and old[1].strip('"') != IfMatch.strip('"'):
            raise Refusal("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412)
        etag = '"' + hashlib.md5(Body).hexdigest() + '"'
        self.objects[Bucket, Key] = (Body, etag)
        return {"ETag": etag}

    def s3_GetObject(self, Bucket, Key, **_):
        self.s3_bucket(Bucket)
        if (Bucket, Key) not in self.objects:
            raise Refusal("NoSuchKey", "The specified key does not exist.", 404)
        body, etag = self.objects[Bucket, Key]
        return {"Body": body, "ETag": etag, "ContentLength": len(body)}

    def s3_HeadObject(self, Bucket, Key, **_):
        return {k: v for k, v in self.s3_GetObject(Bucket, Key).items() if k != "Body"}

    def s3_DeleteObject(self, Bucket, Key, **_):
        self.s3_bucket(Bucket)
        self.objects.pop((Bucket, Key), None)
        return {}

    def s3_ListObjectsV2(self, Bucket, Prefix="", **_):
        self.s3_bucket(Bucket)
        rows = [{"Key": k, "ETag": e, "Size": len(d), "LastModified": "2026-01-01T00:00:00Z"} for (b, k), (d, e) in sorted(self.objects.items()) if b == Bucket and k.startswith(Prefix)]
        return {"Name": Bucket, "Prefix": Prefix, "KeyCount": len(rows), "MaxKeys": 1000, "IsTruncated": False, "Contents": rows}

    # --- small ones ---

    def logs_DescribeLogGroups(self, logGroupNamePrefix="", **_):
        return {"logGroups": [dict(t) for t in self.all("log_group") if t.id.startswith(logGroupNamePrefix)]}

    def ssm_PutParameter(self, Name, Overwrite=False, Tags=(), **m):
        from .world import Thing
        old = self.get("parameter", Name)
        if old is not None and not Overwrite:
            raise Refusal("ParameterAlreadyExists", "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.")
        if old is not None and Tags:
            raise Refusal("ValidationException", "Tags and overwrite can't be used together")
        if old is None:
            old = self.put(Thing("parameter", Name, {"Name": Name, "ARN": f"arn:aws:ssm:us-east-1:123456789012:parameter{Name}", "Version": 0, "Type": "String"}, {t["Key"]: t["Value"] for t in Tags}))
        old.update(m, Version=old["Version"] + 1)
        return {"Version": old["Version"]}

    def ssm_GetParameter(self, Name, **_):
        if self.get("parameter", Name) is None:
            raise Refusal("ParameterNotFound", f"{Name} not found")
        return {"Parameter": dict(self.get("parameter", Name))}

    def ssm_DeleteParameter(self, Name):
        if self.get("parameter", Name) is None:
            raise Refusal("ParameterNotFound", f"{Name} not found")
        self.drop(self.get("parameter", Name))
        return {}

    def sns_DeleteTopic(self, TopicArn):
        topic = self.get("topic", TopicArn.rpartition(":")[2])
        if topic is not None:
            self.drop(topic)

    def cloudwatch_PutMetricAlarm(self, AlarmName, Tags=(), **m):
        from .world import Thing
        old = self.get("alarm", AlarmName)
        if old is None:
            old = self.put(Thing("alarm", AlarmName, {"AlarmName": AlarmName, "AlarmArn": f"arn:aws:cloudwatch:us-east-1:123456789012:alarm:{AlarmName}"}, {t["Key"]: t["Value"] for t in Tags}))
        old.update(m)

    def cloudwatch_DescribeAlarms(self, AlarmNames=None, **_):
        return {"MetricAlarms": [dict(t) for t in self.all("alarm") if AlarmNames is None or t.id in AlarmNames]}

    def cloudwatch_DeleteAlarms(self, AlarmNames):
        for name in AlarmNames:
            if self.get("alarm", name) is None:
                raise Refusal("ResourceNotFound", name, 404)
            self.drop(self.get("alarm", name))

    def cloudwatch_PutDashboard(self, DashboardName, DashboardBody, **_):
        from .world import Thing
        json.loads(DashboardBody)
        self.put(Thing("dashboard", DashboardName, {"DashboardName": DashboardName, "DashboardBody": DashboardBody, "DashboardArn": f"arn:aws:cloudwatch::123456789012:dashboard/{DashboardName}"}))
        return {}

    def cloudwatch_GetDashboard(self, DashboardName):
        if self.get("dashboard", DashboardName) is None:
            raise Refusal("ResourceNotFound", f"Dashboard {DashboardName} does not exist", 404)
        return dict(self.get("dashboard", DashboardName))

    def cloudwatch_DeleteDashboards(self, DashboardNames):
        for name in DashboardNames:
            self.cloudwatch_GetDashboard(name)
            self.drop(self.get("dashboard", name))
        return {}

    def secretsmanager_secret(self, SecretId):
        found = next((t for t in self.all("secret") if SecretId in (t.id, t["ARN"])), None)
        if found is None:
            raise Refusal("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
        return found

    def secretsmanager_CreateSecret(self, Name, Tags=(), ClientRequestToken=None, **m):
        from .world import Thing
        old = self.get("secret", Name)
        if old is not None and (old["token"], old.get("SecretString")) == (ClientRequestToken, m.get("SecretString")):
            return dict(old)
        if old is not None:
            raise Refusal("ResourceExistsException", f"The operation failed because the secret {Name} already exists.")
        return dict(self.put(Thing("secret", Name, {"Name": Name, "ARN": f"arn:aws:secretsmanager:us-east-1:123456789012:secret:{Name}-Ab1", "token": ClientRequestToken, **m},
                                   {t["Key"]: t["Value"] for t in Tags})))

    def secretsmanager_DescribeSecret(self, SecretId):
        s = self.secretsmanager_secret(SecretId)
        return {**s, "Tags": [{"Key": k, "Value": v} for k, v in s.tags.items()]}

    def secretsmanager_DeleteSecret(self, SecretId, **_):
        self.drop(self.secretsmanager_secret(SecretId))
        return {}

    def secretsmanager_PutSecretValue(self, SecretId, SecretString, **_):
        self.secretsmanager_secret(SecretId)["SecretString"] = SecretString
        return {}

    def secretsmanager_UpdateSecret(self, SecretId, **m):
        self.secretsmanager_secret(SecretId).update(m)
        return {}

    def efs_CreateFileSystem(self, CreationToken, Tags=(), **m):
        from .world import Thing
        old = next((t for t in self.all("file_system") if t["CreationToken"] == CreationToken), None)
        if old is not None:
            raise Refusal("FileSystemAlreadyExists", f"File system '{old.id}' already exists with creation token '{CreationToken}'", 409)
        id = self.new_id("fs-")
        thing = self.put(Thing("file_system", id, {"FileSystemId": id, "CreationToken": CreationToken, "FileSystemArn": f"arn:aws:elasticfilesystem:us-east-1:123456789012:file-system/{id}", **m},
                               {t["Key"]: t["Value"] for t in Tags}, ["creating", "available"], "LifeCycleState", self.delay))
        thing.service = "efs"
        return self.efs_view(thing)

    def efs_view(self, t):
        return {**t, "LifeCycleState": t.state, "Tags": [{"Key": k, "Value": v} for k, v in t.tags.items()]}

    def efs_DescribeFileSystems(self, CreationToken=None, FileSystemId=None, **_):
        found = [t for t in self.all("file_system") if CreationToken in (None, t["CreationToken"]) and FileSystemId in (None, t.id)]
        if FileSystemId and not found:
            raise Refusal("FileSystemNotFound", f"File system '{FileSystemId}' does not exist.", 404)
        return {"FileSystems": [self.efs_view(t) for t in found]}

    def efs_CreateMountTarget(self, FileSystemId, SubnetId, **m):
        from .world import Thing
        self.ec2_need("subnet", SubnetId)
        self.efs_DescribeFileSystems(FileSystemId=FileSystemId)
        if any((t["FileSystemId"], t["SubnetId"]) == (FileSystemId, SubnetId) for t in self.all("mount_target")):
            raise Refusal("MountTargetConflict", "mount target already exists in this AZ", 409)
        id = self.new_id("fsmt-")
        return self.efs_view(self.put(Thing("mount_target", id, {"MountTargetId": id, "FileSystemId": FileSystemId, "SubnetId": SubnetId, "IpAddress": "10.0.0.9", **m}, {}, ["creating", "available"], "LifeCycleState", self.delay)))

    def efs_DescribeMountTargets(self, FileSystemId=None, MountTargetId=None, **_):
        found = [t for t in self.all("mount_target") if FileSystemId in (None, t["FileSystemId"]) and MountTargetId in (None, t.id)]
        if MountTargetId and not found:
            raise Refusal("MountTargetNotFound", f"{MountTargetId} does not exist", 404)
        return {"MountTargets": [self.efs_view(t) for t in found]}

    def sagemaker_notebook(self, name):
        thing = self.get("notebook", name)
        if thing is None:
            raise Refusal("ValidationException", "RecordNotFound")
        return thing

    def sagemaker_StopNotebookInstance(self, NotebookInstanceName):
        self.sagemaker_notebook(NotebookInstanceName).become(["Stopping", "Stopped"], self.delay)

    def sagemaker_StartNotebookInstance(self, NotebookInstanceName):
        self.sagemaker_notebook(NotebookInstanceName).become(["Pending", "InService"], self.delay)

    def sagemaker_UpdateNotebookInstance(self, NotebookInstanceName, **m):
        thing = self.sagemaker_notebook(NotebookInstanceName)
        if thing.state != "Stopped":
            raise Refusal("ValidationException", f"Status ({thing.state}) not in ([Stopped, Failed])")
        thing.update(m)
        return {}

    def sagemaker_DeleteNotebookInstance(self, NotebookInstanceName):
        thing = self.sagemaker_notebook(NotebookInstanceName)
        if thing.state not in ("Stopped", "Failed"):
            raise Refusal("ValidationException", f"Status ({thing.state}) not in ([Failed, Stopped])")
        thing.become(["Deleting", "gone"], self.delay)

    def eks_ListPodIdentityAssociations(self, clusterName, namespace=None, serviceAccount=None, **_):
        return {"associations": [dict(t) for t in self.all("pod_identity") if t["clusterName"] == clusterName and namespace in (None, t["namespace"]) and serviceAccount in (None, t["serviceAccount"])]}

    def eks_AssociateAccessPolicy(self, clusterName, principalArn, policyArn, accessScope):
        from .world import Thing
        if self.get("access_entry", f"{clusterName}|{principalArn}") is None:
            raise Refusal("ResourceNotFoundException", "no such access entry", 404)
        row = {"policyArn": policyArn, "accessScope": accessScope}
        self.put(Thing("access_policy", f"{clusterName}|{principalArn}|{policyArn}", row))
        return {"clusterName": clusterName, "principalArn": principalArn, "associatedAccessPolicy": row}

    def eks_ListAssociatedAccessPolicies(self, clusterName, principalArn, **_):
        return {"clusterName": clusterName, "principalArn": principalArn, "associatedAccessPolicies": [dict(t) for t in self.all("access_policy") if t.id.startswith(f"{clusterName}|{principalArn}|")]}

    def eks_DisassociateAccessPolicy(self, clusterName, principalArn, policyArn):
        thing = self.get("access_policy", f"{clusterName}|{principalArn}|{policyArn}")
        if thing is None:
            raise Refusal("ResourceNotFoundException", "not associated", 404)
        self.drop(thing)
        return {}

    def kms_ScheduleKeyDeletion(self, KeyId, **_):
        key = self.get("kms_key", KeyId)
        if key is None:
            raise Refusal("NotFoundException", f"Key '{KeyId}' does not exist")
        self.drop(key)
        return {"KeyId": KeyId, "KeyState": "PendingDeletion"}
