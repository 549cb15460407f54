"""Caches, training jobs and associations: what neither a row nor the other files say."""
from .wire import Refusal


class More:
    def more_need(self, kind, id, code, message="%s was not found", status=400):
        thing = self.get(kind, id)
        if thing is None:
            raise Refusal(code, message % id, status)
        return thing

    def more_make(self, service, kind, id, members, tags=(), states=()):
        from .world import Thing
        thing = self.put(Thing(kind, id, members, {t["Key"]: t["Value"] for t in tags}, states, "Status", self.delay))
        thing.service = service
        return thing

    # --- elasticache ---

    def cache_subnets(self, m):
        for subnet in m["SubnetIds"]:
            self.ec2_need("subnet", subnet)
        return {k: v for k, v in m.items() if k != "SubnetIds"} | {"Subnets": [{"SubnetIdentifier": s} for s in m["SubnetIds"]]}

    def elasticache_CreateCacheSubnetGroup(self, CacheSubnetGroupName, Tags=(), **m):
        if self.get("cache_subnets", CacheSubnetGroupName) is not None:
            raise Refusal("CacheSubnetGroupAlreadyExists", f"{CacheSubnetGroupName} exists")
        group = self.more_make("elasticache", "cache_subnets", CacheSubnetGroupName, {"CacheSubnetGroupName": CacheSubnetGroupName, "ARN": self.arn("elasticache", f"subnetgroup:{CacheSubnetGroupName}"), **self.cache_subnets(m)}, Tags)
        return {"CacheSubnetGroup": dict(group)}

    def elasticache_DescribeCacheSubnetGroups(self, CacheSubnetGroupName, **_):
        return {"CacheSubnetGroups": [dict(self.more_need("cache_subnets", CacheSubnetGroupName, "CacheSubnetGroupNotFoundFault"))]}

    def elasticache_ModifyCacheSubnetGroup(self, CacheSubnetGroupName, **m):
        group = self.more_need("cache_subnets", CacheSubnetGroupName, "CacheSubnetGroupNotFoundFault")
        group.update(self.cache_subnets(m))
        return {"CacheSubnetGroup": dict(group)}

    def elasticache_DeleteCacheSubnetGroup(self, CacheSubnetGroupName):
        group = self.more_need("cache_subnets", CacheSubnetGroupName, "CacheSubnetGroupNotFoundFault")
        if any(c.get("CacheSubnetGroupName") == CacheSubnetGroupName for c in self.all("cache")):
            raise Refusal("CacheSubnetGroupInUse", f"{CacheSubnetGroupName} is in use")
        self.drop(group)

    def cache_view(self, cache):
        out = {k: v for k, v in cache.items() if k in ("ReplicationGroupId", "ARN", "CacheNodeType", "TransitEncryptionEnabled", "AtRestEncryptionEnabled", "SnapshotRetentionLimit")}
        return out | {"Description": cache["ReplicationGroupDescription"], "Status": cache.state, "NodeGroups": [{"PrimaryEndpoint": {"Address": f"{cache.id}.cache.test", "Port": 6379}}]}

    def elasticache_CreateReplicationGroup(self, ReplicationGroupId, Tags=(), **m):
        if self.get("cache", ReplicationGroupId) is not None:
            raise Refusal("ReplicationGroupAlreadyExists", f"{ReplicationGroupId} exists")
        if "CacheSubnetGroupName" in m:
            self.more_need("cache_subnets", m["CacheSubnetGroupName"], "CacheSubnetGroupNotFoundFault")
        cache = self.more_make("elasticache", "cache", ReplicationGroupId, {"ReplicationGroupId": ReplicationGroupId, "ARN": self.arn("elasticache", f"replicationgroup:{ReplicationGroupId}"), **m}, Tags, ["creating", "available"])
        return {"ReplicationGroup": self.cache_view(cache)}

    def elasticache_DescribeReplicationGroups(self, ReplicationGroupId, **_):
        return {"ReplicationGroups": [self.cache_view(self.more_need("cache", ReplicationGroupId, "ReplicationGroupNotFoundFault", status=404))]}

    def elasticache_ModifyReplicationGroup(self, ReplicationGroupId, ApplyImmediately, **m):
        cache = self.more_need("cache", ReplicationGroupId, "ReplicationGroupNotFoundFault", status=404)
        if cache.state != "available":
            raise Refusal("InvalidReplicationGroupState", f"{ReplicationGroupId} is {cache.state}")
        cache.update(m)
        return {"ReplicationGroup": self.cache_view(cache)}

    def elasticache_DeleteReplicationGroup(self, ReplicationGroupId, **_):
        cache = self.more_need("cache", ReplicationGroupId, "ReplicationGroupNotFoundFault", status=404)
        cache.become(["deleting", "gone"], self.delay)
        return {"ReplicationGroup": self.cache_view(cache)}

    def elasticache_DescribeEvents(self, SourceIdentifier, **_):
        cache = self.more_need("cache", SourceIdentifier, "ReplicationGroupNotFoundFault", status=404)
        return {"Events": [{"SourceIdentifier": SourceIdentifier, "SourceType": "replication-group", "Message": m, "Date": t} for t, m in cache.get("events", ())]}

    # --- sagemaker ---

    def sagemaker_ListDomains(self, **_):
        return {"Domains": [{"DomainId": d.id, "DomainArn": d["DomainArn"], "DomainName": d["DomainName"], "Status": d.state} for d in self.all("domain")]}

    def sagemaker_CreateTrainingJob(self, TrainingJobName, Tags=(), **m):
        if self.get("training_job", TrainingJobName) is not None:
            raise Refusal("ResourceInUse", f"{TrainingJobName} exists")
        arn = self.arn("sagemaker", f"training-job/{TrainingJobName}")
        self.more_make("sagemaker", "training_job", TrainingJobName, {"TrainingJobName": TrainingJobName, "TrainingJobArn": arn, **m}, Tags, ["InProgress"])
        return {"TrainingJobArn": arn}

    def sagemaker_DescribeTrainingJob(self, TrainingJobName):
        job = self.more_need("training_job", TrainingJobName, "ValidationException", "Requested resource not found: %s")
        return {**job, "TrainingJobStatus": job.state, "SecondaryStatus": "Training", "CreationTime": 0, "ModelArtifacts": {"S3ModelArtifacts": ""}}

    def sagemaker_StopTrainingJob(self, TrainingJobName):
        job = self.more_need("training_job", TrainingJobName, "ValidationException", "Requested resource not found: %s")
        if job.state != "InProgress":
            raise Refusal("ValidationException", f"the job is {job.state}")
        job.become(["Stopping", "Stopped"], self.delay)

    def sagemaker_DeleteTrainingJob(self, TrainingJobName):
        job = self.more_need("training_job", TrainingJobName, "ValidationException", "Could not find %s")
        if job.state in ("InProgress", "Stopping"):
            raise Refusal("ValidationException", f"a job in status {job.state} cannot be deleted")
        self.drop(job)

    # --- associations ---

    def ssm_CreateAssociation(self, Name, **m):
        """As often as it is asked for: AWS knows neither a token nor a name of its own here."""
        id = self.new_id("")
        self.more_make("ssm", "ssm_association", id, {"AssociationId": id, "Name": Name, "AssociationVersion": "1", **m})
        return {"AssociationDescription": dict(self.get("ssm_association", id))}

    def ssm_ListAssociations(self, AssociationFilterList=(), **_):
        wanted = {f["key"]: f["value"] for f in AssociationFilterList}
        return {"Associations": [{k: v for k, v in t.items() if k != "Parameters"} for t in self.all("ssm_association") if all(t.get(k) == v for k, v in wanted.items())]}

    def ssm_UpdateAssociation(self, AssociationId, **m):
        """What is left out is cleared."""
        thing = self.more_need("ssm_association", AssociationId, "AssociationDoesNotExist")
        thing.clear()
        thing.update({"AssociationId": AssociationId, **m})
        return {"AssociationDescription": dict(thing)}

    def ssm_DeleteAssociation(self, AssociationId):
        self.drop(self.more_need("ssm_association", AssociationId, "AssociationDoesNotExist"))
        return {}

    # --- ecs: tasks start when somebody says so ---

    def ecs_view(self, service):
        return {**service, "status": service.state, "tags": [{"key": k, "value": v} for k, v in service.tags.items()]}

    def ecs_CreateService(self, cluster, serviceName, desiredCount, clientToken, tags=(), **m):
        if self.get("ecs_service", serviceName) is not None:
            raise Refusal("InvalidParameterException", "Creation of service was not idempotent.")
        service = self.more_make("ecs", "ecs_service", serviceName, {
            "serviceName": serviceName, "clusterArn": cluster, "serviceArn": self.arn("ecs", f"service/{cluster}/{serviceName}"), "desiredCount": desiredCount, "runningCount": 0,
            "deployments": [{"status": "PRIMARY"}], "events": [], **m}, [{"Key": t["key"], "Value": t["value"]} for t in tags], ["ACTIVE"])
        return {"service": self.ecs_view(service)}

    def ecs_DescribeServices(self, cluster, services, **_):
        found = [self.get("ecs_service", s) for s in services]
        return {"services": [self.ecs_view(s) for s in found if s], "failures": [{"arn": s, "reason": "MISSING"} for s, f in zip(services, found) if not f]}

    def ecs_UpdateService(self, cluster, service, **m):
        thing = self.more_need("ecs_service", service, "ServiceNotFoundException")
        if m.get("taskDefinition") not in (None, thing["taskDefinition"]):
            thing["deployments"] = [{"status": "PRIMARY", "taskDefinition": m["taskDefinition"]}, {"status": "ACTIVE", "taskDefinition": thing["taskDefinition"]}]
        thing.update(m)
        return {"service": self.ecs_view(thing)}

    def ecs_DeleteService(self, cluster, service, force):
        thing = self.more_need("ecs_service", service, "ServiceNotFoundException")
        thing.become(["INACTIVE"], 0)
        self.drop(thing)
        return {"service": self.ecs_view(thing)}
