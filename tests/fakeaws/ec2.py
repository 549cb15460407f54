"""EC2: one table for what most of it does, methods for the rest."""
import datetime
import base64
import re
import time

from .wire import Refusal

VCPUS = {"t3.micro": 2, "p5.48xlarge": 192, "p4d.24xlarge": 96, "m5.large": 2}
ZONES = ["us-east-1a", "us-east-1b", "us-east-1c"]
# kind: (create, member of its answer, id member, prefix, describe, list, delete, code when absent, states)
TABLE = {
    "vpc": ("CreateVpc", "Vpc", "VpcId", "vpc-", "DescribeVpcs", "Vpcs", "DeleteVpc", "InvalidVpcID.NotFound", ["pending", "available"]),
    "subnet": ("CreateSubnet", "Subnet", "SubnetId", "subnet-", "DescribeSubnets", "Subnets", "DeleteSubnet", "InvalidSubnetID.NotFound", ["pending", "available"]),
    "internet_gateway": ("CreateInternetGateway", "InternetGateway", "InternetGatewayId", "igw-", "DescribeInternetGateways", "InternetGateways", "DeleteInternetGateway", "InvalidInternetGatewayID.NotFound", []),
    "route_table": ("CreateRouteTable", "RouteTable", "RouteTableId", "rtb-", "DescribeRouteTables", "RouteTables", "DeleteRouteTable", "InvalidRouteTableID.NotFound", []),
    "security_group": ("CreateSecurityGroup", None, "GroupId", "sg-", "DescribeSecurityGroups", "SecurityGroups", "DeleteSecurityGroup", "InvalidGroup.NotFound", []),
    "security_group_rule": (None, None, "SecurityGroupRuleId", "sgr-", "DescribeSecurityGroupRules", "SecurityGroupRules", None, "InvalidSecurityGroupRuleId.NotFound", []),
    "network_acl": ("CreateNetworkAcl", "NetworkAcl", "NetworkAclId", "acl-", "DescribeNetworkAcls", "NetworkAcls", "DeleteNetworkAcl", "InvalidNetworkAclID.NotFound", []),
    "nat_gateway": ("CreateNatGateway", "NatGateway", "NatGatewayId", "nat-", "DescribeNatGateways", "NatGateways", None, "NatGatewayNotFound", ["pending", "available"]),
    "elastic_ip": ("AllocateAddress", None, "AllocationId", "eipalloc-", "DescribeAddresses", "Addresses", "ReleaseAddress", "InvalidAllocationID.NotFound", []),
    "key_pair": ("ImportKeyPair", None, "KeyPairId", "key-", "DescribeKeyPairs", "KeyPairs", None, "InvalidKeyPair.NotFound", []),
    "volume": ("CreateVolume", None, "VolumeId", "vol-", "DescribeVolumes", "Volumes", "DeleteVolume", "InvalidVolume.NotFound", ["creating", "available"]),
    "vpc_endpoint": ("CreateVpcEndpoint", "VpcEndpoint", "VpcEndpointId", "vpce-", "DescribeVpcEndpoints", "VpcEndpoints", None, "InvalidVpcEndpointId.NotFound", ["pending", "available"]),
    "launch_template": ("CreateLaunchTemplate", "LaunchTemplate", "LaunchTemplateId", "lt-", "DescribeLaunchTemplates", "LaunchTemplates", "DeleteLaunchTemplate", "InvalidLaunchTemplateId.NotFound", []),
    "placement_group": ("CreatePlacementGroup", "PlacementGroup", "GroupId", "pg-", "DescribePlacementGroups", "PlacementGroups", None, "InvalidPlacementGroup.Unknown", ["pending", "available"]),
    "flow_log": (None, None, "FlowLogId", "fl-", "DescribeFlowLogs", "FlowLogs", None, "InvalidFlowLogId.NotFound", []),
    "capacity_reservation": ("CreateCapacityReservation", "CapacityReservation", "CapacityReservationId", "cr-", "DescribeCapacityReservations", "CapacityReservations", None, "InvalidCapacityReservationId.NotFound", ["pending", "active"]),
    "network_interface": (None, None, "NetworkInterfaceId", "eni-", "DescribeNetworkInterfaces", "NetworkInterfaces", "DeleteNetworkInterface", "InvalidNetworkInterfaceID.NotFound", []),
    "instance": (None, None, "InstanceId", "i-", None, None, None, "InvalidInstanceID.NotFound", ["pending", "running"]),
    "fleet": (None, None, "FleetId", "fleet-", "DescribeFleets", "Fleets", None, "InvalidFleetId.NotFound", []),
}
REFERENCES = {row[2]: kind for kind, row in TABLE.items()} | {"SourceGroupId": "security_group"}
STATE = {"volume": "State", "flow_log": "FlowLogStatus"}
ODD_FILTERS = {"instance-state-name": "@state", "state": "@state", "vpc-id": "VpcId", "attachment.vpc-id": "VpcId"}


def member_of(filter_name):
    return ODD_FILTERS.get(filter_name) or "".join(w.capitalize() for w in filter_name.split("-"))


def values_of(thing, member):
    if member == "@state":
        return [thing.state]
    value = thing.get(member)
    return [str(v) if not isinstance(v, bool) else str(v).lower() for v in (value if isinstance(value, list) else [value]) if not isinstance(v, (dict, list))]


def stamp(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


class Ec2:
    def __getattr__(self, name):
        if name.startswith("ec2_"):
            operation = name[4:]
            for kind, row in TABLE.items():
                for verb, column in (("create", 0), ("describe", 4), ("delete", 6)):
                    if row[column] == operation:
                        return lambda verb=verb, kind=kind, **a: getattr(self, f"ec2_{verb}")(kind, a)
        raise AttributeError(name)

    # --- the table ---

    def ec2_tags(self, arguments):
        return {t["Key"]: t["Value"] for s in arguments.get("TagSpecifications", []) for t in s["Tags"]}

    def ec2_refer(self, arguments):
        """Whatever is named must be there."""
        for member, value in arguments.items():
            kind = REFERENCES.get(member) or REFERENCES.get(member[:-1] if member.endswith("s") else "")
            kind = {"SecurityGroupIds": "security_group"}.get(member, kind)
            for one in value if isinstance(value, list) else [value]:
                if kind and isinstance(one, str):
                    self.ec2_need(kind, one)

    def ec2_need(self, kind, id):
        thing = self.get(kind, id)
        if thing is None or thing.state in ("terminated", "deleted"):
            raise Refusal(TABLE[kind][7], f"The {kind.replace('_', ' ')} ID '{id}' does not exist")
        return thing

    def ec2_make(self, kind, members, tags):
        from .world import Thing
        row = TABLE[kind]
        id = self.new_id(row[3])
        return self.put(Thing(kind, id, {**members, row[2]: id, "OwnerId": "123456789012"}, tags, row[8], STATE.get(kind, "State"), self.delay))

    def ec2_create(self, kind, arguments):
        members = {k: v for k, v in arguments.items() if k not in ("TagSpecifications", "ClientToken", "DryRun")}
        self.ec2_refer(members)
        getattr(self, f"before_{kind}", lambda m: None)(members)
        thing = self.ec2_make(kind, members, self.ec2_tags(arguments))
        out = TABLE[kind][1]
        view = self.ec2_view(thing)
        return {out: view} if out else view

    def ec2_view(self, thing):
        out = dict(thing)
        out["Tags"] = [{"Key": k, "Value": v} for k, v in thing.tags.items()]
        if thing.states:
            out["Status" if thing.kind == "none" else "State"] = {"Name": thing.state, "Code": 0} if thing.kind == "instance" else thing.state
        view = getattr(self, f"view_{thing.kind}", None)
        return view(thing, out) if view else out

    def ec2_describe(self, kind, arguments):
        row, found = TABLE[kind], self.ec2_found(kind, arguments)
        return {row[5]: [self.ec2_view(t) for t in found]}

    def ec2_found(self, kind, arguments):
        row = TABLE[kind]
        visible = [t for t in self.all(kind) if time.monotonic() - t.born >= self.lag or t.states[-1:] == ["gone"]]
        ids = next((arguments[m] for m in (row[2] + "s", row[5], "FilterIds") if m and isinstance(arguments.get(m), list)), None)
        if ids is not None:
            by_id = {t.id: t for t in visible}
            for id in ids:
                if id not in by_id:
                    raise Refusal(row[7], f"The ID '{id}' does not exist")
            visible = [by_id[i] for i in ids]
        names = {"key_pair": ("KeyNames", "KeyName"), "placement_group": ("GroupNames", "GroupName"), "launch_template": ("LaunchTemplateNames", "LaunchTemplateName")}.get(kind)
        if names and arguments.get(names[0]):
            visible = [t for t in visible if t[names[1]] in arguments[names[0]]]
            if not visible:
                raise Refusal(row[7], f"{arguments[names[0]]} does not exist")
        for f in arguments.get("Filters") or arguments.get("Filter") or []:
            name, wanted = f["Name"], f["Values"]
            pattern = [re.compile(re.escape(w).replace(r"\*", ".*") + "$") for w in wanted]
            if name.startswith("tag:"):
                visible = [t for t in visible if name[4:] in t.tags and any(p.match(t.tags[name[4:]]) for p in pattern)]
            else:
                visible = [t for t in visible if any(p.match(v) for v in values_of(t, member_of(name)) if v is not None for p in pattern)]
        return visible

    def ec2_used_by(self, thing):
        """What stands in the way of its deletion."""
        for kind in TABLE:
            for other in self.all(kind):
                if other is thing or other.state in ("terminated", "deleted", "gone") or (kind == "security_group_rule" and other.get("GroupId") == thing.id):
                    continue
                mentioned = [v for v in other.values() if isinstance(v, str)] + [v for l in other.values() if isinstance(l, list) for v in l if isinstance(v, str)]
                mentioned += [v for l in other.values() if isinstance(l, list) for d in l if isinstance(d, dict) for v in d.values()]
                if thing.id in mentioned and (kind, thing.kind) not in {("internet_gateway", "route_table")}:
                    return other
        return None

    def ec2_delete(self, kind, arguments):
        row = TABLE[kind]
        thing = self.ec2_need(kind, arguments.get(row[2]))
        other = self.ec2_used_by(thing)
        if other is not None and kind != "launch_template":
            code = {"elastic_ip": "InvalidIPAddress.InUse", "volume": "VolumeInUse"}.get(kind, "DependencyViolation")
            raise Refusal(code, f"The {kind} '{thing.id}' has a dependency ({other.id}) and cannot be deleted.")
        for rule in self.all("security_group_rule"):
            if rule["GroupId"] == thing.id:
                self.drop(rule)
        self.drop(thing)
        return {"LaunchTemplate": self.ec2_view(thing)} if kind == "launch_template" else {}

    # --- tags ---

    def ec2_CreateTags(self, Resources, Tags):
        for id in Resources:
            self.ec2_any(id).tags.update({t["Key"]: t["Value"] for t in Tags})
        return {}

    def ec2_DeleteTags(self, Resources, Tags):
        for id in Resources:
            for t in Tags:
                self.ec2_any(id).tags.pop(t["Key"], None)
        return {}

    def ec2_any(self, id):
        for kind in TABLE:
            if self.get(kind, id) is not None:
                return self.get(kind, id)
        raise Refusal("InvalidID", f"The ID '{id}' is not valid")

    def ec2_DescribeTags(self, Filters=(), **_):
        keys = next((f["Values"] for f in Filters if f["Name"] == "key"), None)
        rows = [{"ResourceId": t.id, "ResourceType": k.replace("_", "-"), "Key": key, "Value": v} for k in TABLE for t in self.all(k) for key, v in t.tags.items()]
        return {"Tags": [r for r in rows if keys is None or r["Key"] in keys]}

    # --- network ---

    def before_vpc(self, m):
        m.update(EnableDnsSupport=True, EnableDnsHostnames=False, InstanceTenancy=m.get("InstanceTenancy", "default"), IsDefault=False)

    def before_subnet(self, m):
        if any(s["VpcId"] == m["VpcId"] and s["CidrBlock"] == m["CidrBlock"] for s in self.all("subnet")):
            raise Refusal("InvalidSubnet.Conflict", f"The CIDR '{m['CidrBlock']}' conflicts with another subnet")
        m.setdefault("AvailabilityZone", ZONES[0])
        m.update(MapPublicIpOnLaunch=False, AvailableIpAddressCount=250)

    def ec2_ModifySubnetAttribute(self, SubnetId, MapPublicIpOnLaunch=None):
        self.ec2_need("subnet", SubnetId)["MapPublicIpOnLaunch"] = MapPublicIpOnLaunch["Value"]

    def ec2_ModifyVpcAttribute(self, VpcId, **attributes):
        if len(attributes) != 1:
            raise Refusal("InvalidParameterCombination", "Only one attribute can be modified at a time")
        self.ec2_need("vpc", VpcId).update({k: v["Value"] for k, v in attributes.items()})

    def ec2_DescribeVpcAttribute(self, VpcId, Attribute):
        name = Attribute[0].upper() + Attribute[1:]
        return {"VpcId": VpcId, name: {"Value": self.ec2_need("vpc", VpcId)[name]}}

    def ec2_AttachInternetGateway(self, InternetGatewayId, VpcId):
        gateway = self.ec2_need("internet_gateway", InternetGatewayId)
        self.ec2_need("vpc", VpcId)
        if gateway.get("Attachments"):
            raise Refusal("Resource.AlreadyAssociated", f"{InternetGatewayId} is already attached")
        gateway["Attachments"] = [{"VpcId": VpcId, "State": "available"}]

    def ec2_DetachInternetGateway(self, InternetGatewayId, VpcId):
        gateway = self.ec2_need("internet_gateway", InternetGatewayId)
        if not gateway.get("Attachments"):
            raise Refusal("Gateway.NotAttached", f"{InternetGatewayId} is not attached")
        if any(n.get("AllocationId") and n.state == "available" for n in self.all("nat_gateway")):
            raise Refusal("DependencyViolation", f"Network {VpcId} has some mapped public address(es)")
        gateway["Attachments"] = []

    def before_route_table(self, m):
        m.update(Routes=[], Associations=[])

    def ec2_CreateRoute(self, RouteTableId, DestinationCidrBlock, **target):
        table = self.ec2_need("route_table", RouteTableId)
        self.ec2_refer({k: v for k, v in target.items() if k != "GatewayId"})
        if any(r["DestinationCidrBlock"] == DestinationCidrBlock for r in table["Routes"]):
            raise Refusal("RouteAlreadyExists", f"The route identified by {DestinationCidrBlock} already exists.")
        table["Routes"].append({"DestinationCidrBlock": DestinationCidrBlock, "State": "active", **target})
        return {"Return": True}

    def ec2_ReplaceRoute(self, RouteTableId, DestinationCidrBlock, **target):
        self.ec2_DeleteRoute(RouteTableId, DestinationCidrBlock)
        self.ec2_CreateRoute(RouteTableId, DestinationCidrBlock, **target)

    def ec2_DeleteRoute(self, RouteTableId, DestinationCidrBlock):
        table = self.ec2_need("route_table", RouteTableId)
        left = [r for r in table["Routes"] if r["DestinationCidrBlock"] != DestinationCidrBlock]
        if len(left) == len(table["Routes"]):
            raise Refusal("InvalidRoute.NotFound", "no route with destination-cidr-block " + DestinationCidrBlock)
        table["Routes"] = left

    def ec2_AssociateRouteTable(self, RouteTableId, SubnetId):
        table = self.ec2_need("route_table", RouteTableId)
        self.ec2_need("subnet", SubnetId)
        for t in self.all("route_table"):
            if any(a["SubnetId"] == SubnetId for a in t["Associations"]):
                raise Refusal("Resource.AlreadyAssociated", f"the specified association for route table {RouteTableId} conflicts with an existing association")
        id = self.new_id("rtbassoc-")
        table["Associations"].append({"RouteTableAssociationId": id, "RouteTableId": RouteTableId, "SubnetId": SubnetId, "Main": False})
        return {"AssociationId": id}

    def ec2_DisassociateRouteTable(self, AssociationId):
        for t in self.all("route_table"):
            left = [a for a in t["Associations"] if a["RouteTableAssociationId"] != AssociationId]
            if len(left) < len(t["Associations"]):
                t["Associations"] = left
                return
        raise Refusal("InvalidAssociationID.NotFound", f"The association ID '{AssociationId}' does not exist")

    def before_security_group(self, m):
        if any(g["GroupName"] == m["GroupName"] and g.get("VpcId") == m.get("VpcId") for g in self.all("security_group")):
            raise Refusal("InvalidGroup.Duplicate", f"The security group '{m['GroupName']}' already exists for VPC '{m.get('VpcId')}'")

    def authorize(self, egress, GroupId, IpPermissions, TagSpecifications=()):
        self.ec2_need("security_group", GroupId)
        made = []
        for p in IpPermissions:
            sources = [{"CidrIpv4": r["CidrIp"]} for r in p.get("IpRanges", [])] + [{"CidrIpv6": r["CidrIpv6"]} for r in p.get("Ipv6Ranges", [])]
            sources += [{"ReferencedGroupInfo": {"GroupId": r["GroupId"]}} for r in p.get("UserIdGroupPairs", [])]
            for source in sources:
                row = {"GroupId": GroupId, "IsEgress": egress, "IpProtocol": p["IpProtocol"], "FromPort": p.get("FromPort", -1), "ToPort": p.get("ToPort", -1), **source}
                for r in self.all("security_group_rule"):
                    if all(r.get(k) == v for k, v in row.items()):
                        raise Refusal("InvalidPermission.Duplicate", f"the specified rule \"peer: {source}\" already exists")
                made.append(self.ec2_make("security_group_rule", row, self.ec2_tags({"TagSpecifications": TagSpecifications})))
        return {"Return": True, "SecurityGroupRules": [self.ec2_view(t) for t in made]}

    def ec2_AuthorizeSecurityGroupIngress(self, **a):
        return self.authorize(False, **a)

    def ec2_AuthorizeSecurityGroupEgress(self, **a):
        return self.authorize(True, **a)

    def ec2_RevokeSecurityGroupIngress(self, GroupId, SecurityGroupRuleIds):
        self.ec2_need("security_group", GroupId)
        for id in SecurityGroupRuleIds:
            self.drop(self.ec2_need("security_group_rule", id))
        return {"Return": True}

    ec2_RevokeSecurityGroupEgress = ec2_RevokeSecurityGroupIngress

    def before_network_acl(self, m):
        m["Entries"] = [{"RuleNumber": 32767, "Egress": e, "Protocol": "-1", "RuleAction": "deny", "CidrBlock": "0.0.0.0/0"} for e in (True, False)]

    def ec2_CreateNetworkAclEntry(self, NetworkAclId, RuleNumber, Egress, **rest):
        acl = self.ec2_need("network_acl", NetworkAclId)
        if any((e["RuleNumber"], e["Egress"]) == (RuleNumber, Egress) for e in acl["Entries"]):
            raise Refusal("NetworkAclEntryAlreadyExists", f"The network acl entry identified by {RuleNumber} already exists.")
        acl["Entries"].append({"RuleNumber": RuleNumber, "Egress": Egress, **rest})

    def ec2_ReplaceNetworkAclEntry(self, NetworkAclId, RuleNumber, Egress, **rest):
        self.ec2_DeleteNetworkAclEntry(NetworkAclId, RuleNumber, Egress)
        self.ec2_CreateNetworkAclEntry(NetworkAclId, RuleNumber, Egress, **rest)

    def ec2_DeleteNetworkAclEntry(self, NetworkAclId, RuleNumber, Egress):
        acl = self.ec2_need("network_acl", NetworkAclId)
        left = [e for e in acl["Entries"] if (e["RuleNumber"], e["Egress"]) != (RuleNumber, Egress)]
        if len(left) == len(acl["Entries"]):
            raise Refusal("InvalidNetworkAclEntry.NotFound", f"no entry {RuleNumber}")
        acl["Entries"] = left

    def before_elastic_ip(self, m):
        m.update(PublicIp=f"198.51.100.{len(self.all('elastic_ip')) + 1}", Domain="vpc")

    def before_nat_gateway(self, m):
        if m.get("ConnectivityType", "public") == "public" and "AllocationId" not in m:
            raise Refusal("MissingParameter", "AllocationId is required")
        if any(n.get("AllocationId") == m.get("AllocationId") and n.state not in ("deleted", "failed") for n in self.all("nat_gateway")):
            raise Refusal("Resource.AlreadyAssociated", f"{m['AllocationId']} is in use")
        m.setdefault("ConnectivityType", "public")
        m["NatGatewayAddresses"] = [{"AllocationId": m["AllocationId"]}] if "AllocationId" in m else []

    def ec2_DeleteNatGateway(self, NatGatewayId):
        self.ec2_need("nat_gateway", NatGatewayId).become(["deleting", "deleted"], self.delay)
        return {"NatGatewayId": NatGatewayId}

    def before_vpc_endpoint(self, m):
        m.setdefault("VpcEndpointType", "Gateway")

    def ec2_DeleteVpcEndpoints(self, VpcEndpointIds):
        bad = [{"ResourceId": i, "Error": {"Code": "InvalidVpcEndpointId.NotFound", "Message": "not there"}} for i in VpcEndpointIds if not self.get("vpc_endpoint", i)]
        for i in VpcEndpointIds:
            if self.get("vpc_endpoint", i):
                self.get("vpc_endpoint", i).become(["deleting", "gone"], self.delay)
        return {"Unsuccessful": bad}

    def ec2_CreateFlowLogs(self, ResourceIds, **a):
        for r in ResourceIds:
            self.ec2_any(r)
        made = [self.ec2_make("flow_log", {k: v for k, v in a.items() if k not in ("TagSpecifications", "ClientToken")} | {"ResourceId": r}, self.ec2_tags(a)) for r in ResourceIds]
        for t in made:
            t["FlowLogStatus"] = "ACTIVE"
        return {"FlowLogIds": [t.id for t in made], "Unsuccessful": []}

    def ec2_DeleteFlowLogs(self, FlowLogIds):
        for i in FlowLogIds:
            self.drop(self.ec2_need("flow_log", i))
        return {"Unsuccessful": []}

    # --- compute ---

    def before_key_pair(self, m):
        if any(k["KeyName"] == m["KeyName"] for k in self.all("key_pair")):
            raise Refusal("InvalidKeyPair.Duplicate", f"The keypair '{m['KeyName']}' already exists.")
        m["KeyFingerprint"] = "00:11"

    def ec2_DeleteKeyPair(self, KeyName=None, KeyPairId=None):
        for k in self.all("key_pair"):
            if KeyName == k["KeyName"] or k.id == KeyPairId:
                self.drop(k)
        return {"Return": True}

    def before_placement_group(self, m):
        if any(k["GroupName"] == m["GroupName"] for k in self.all("placement_group")):
            raise Refusal("InvalidPlacementGroup.Duplicate", f"The Placement Group '{m['GroupName']}' already exists.")

    def ec2_DeletePlacementGroup(self, GroupName):
        for k in self.all("placement_group"):
            if GroupName == k["GroupName"]:
                return self.drop(k)
        raise Refusal("InvalidPlacementGroup.Unknown", f"The Placement Group '{GroupName}' is unknown.")

    def before_launch_template(self, m):
        if any(k["LaunchTemplateName"] == m["LaunchTemplateName"] for k in self.all("launch_template")):
            raise Refusal("InvalidLaunchTemplateName.AlreadyExistsException", "Launch template name already in use.")
        m.update(versions=[m.pop("LaunchTemplateData")], LatestVersionNumber=1, DefaultVersionNumber=1)

    def ec2_CreateLaunchTemplateVersion(self, LaunchTemplateId, LaunchTemplateData, **_):
        t = self.ec2_need("launch_template", LaunchTemplateId)
        t["versions"].append(LaunchTemplateData)
        t["LatestVersionNumber"] = len(t["versions"])
        return {"LaunchTemplateVersion": {"LaunchTemplateId": t.id, "VersionNumber": len(t["versions"]), "LaunchTemplateData": LaunchTemplateData}}

    def ec2_ModifyLaunchTemplate(self, LaunchTemplateId, DefaultVersion):
        t = self.ec2_need("launch_template", LaunchTemplateId)
        t["DefaultVersionNumber"] = int(DefaultVersion)
        return {"LaunchTemplate": self.ec2_view(t)}

    def ec2_DescribeLaunchTemplateVersions(self, LaunchTemplateId, Versions=(), **_):
        t = self.ec2_need("launch_template", LaunchTemplateId)
        n = len(t["versions"]) if not Versions or Versions[0] == "$Latest" else t["DefaultVersionNumber"] if Versions[0] == "$Default" else int(Versions[0])
        return {"LaunchTemplateVersions": [{"LaunchTemplateId": t.id, "VersionNumber": n, "LaunchTemplateData": t["versions"][n - 1]}]}

    def before_volume(self, m):
        m.setdefault("VolumeType", "gp2")
        m["Attachments"] = []

    def view_volume(self, thing, out):
        if thing["Attachments"]:
            out["State"] = "in-use"
        return out

    def ec2_ModifyVolume(self, VolumeId, **m):
        self.ec2_need("volume", VolumeId).update(m)
        return {"VolumeModification": {"VolumeId": VolumeId, "ModificationState": "completed"}}

    def ec2_AttachVolume(self, VolumeId, InstanceId, Device):
        volume = self.ec2_need("volume", VolumeId)
        self.ec2_need("instance", InstanceId)
        if volume["Attachments"]:
            raise Refusal("VolumeInUse", f"{VolumeId} is already attached to an instance")
        volume["Attachments"] = [{"VolumeId": VolumeId, "InstanceId": InstanceId, "Device": Device, "State": "attached"}]
        return volume["Attachments"][0]

    def ec2_DetachVolume(self, VolumeId, InstanceId=None):
        volume = self.ec2_need("volume", VolumeId)
        if not volume["Attachments"]:
            raise Refusal("IncorrectState", f"Volume '{VolumeId}' is in the 'available' state.")
        gone = volume["Attachments"].pop()
        return {**gone, "State": "detaching"}

    def ec2_RunInstances(self, MinCount, MaxCount, TagSpecifications=(), **a):
        if "LaunchTemplate" in a:
            t = self.ec2_need("launch_template", a["LaunchTemplate"]["LaunchTemplateId"])
            a = {**t["versions"][t["DefaultVersionNumber"] - 1], **{k: v for k, v in a.items() if v is not None}}
        self.ec2_refer({k: a[k] for k in ("SubnetId", "SecurityGroupIds") if k in a})
        profile = (a.get("IamInstanceProfile") or {}).get("Name")
        if profile:
            p = self.get("instance_profile", profile)
            if p is None or not p["Roles"] or not self.believed(p):
                raise Refusal("InvalidParameterValue", f"Value ({profile}) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name")
        if "ImageId" not in a:
            raise Refusal("MissingParameter", "The request must contain the parameter ImageId")
        kind = a.get("InstanceType", "m1.small")
        zone = self.get("subnet", a["SubnetId"])["AvailabilityZone"] if "SubnetId" in a else (a.get("Placement") or {}).get("AvailabilityZone", ZONES[0])
        market = (a.get("InstanceMarketOptions") or {}).get("MarketType", "on-demand")
        target = ((a.get("CapacityReservationSpecification") or {}).get("CapacityReservationTarget") or {}).get("CapacityReservationId")
        if target:
            self.ec2_need("capacity_reservation", target)
            market = target
        left = self.capacity.get((kind, zone, market), MaxCount)
        if left < MinCount:
            code = "ReservationCapacityExceeded" if target else "InsufficientInstanceCapacity"
            raise Refusal(code, f"We currently do not have sufficient {kind} capacity in the Availability Zone you requested ({zone}).", 500)
        n = min(left, MaxCount)
        if (kind, zone, market) in self.capacity:
            self.capacity[kind, zone, market] -= n
        made = []
        for _ in range(n):
            members = {k: a[k] for k in ("ImageId", "InstanceType", "SubnetId", "KeyName", "SecurityGroupIds", "UserData", "ClientToken") if k in a}
            members.update(Placement={"AvailabilityZone": zone}, PrivateIpAddress=f"10.0.0.{len(self.all('instance')) + 4}",
                           SecurityGroups=[{"GroupId": g, "GroupName": g} for g in a.get("SecurityGroupIds", [])],
                           VpcId=self.get("subnet", a["SubnetId"])["VpcId"] if "SubnetId" in a else None, market=market)
            if market == "spot":
                members["InstanceLifecycle"] = "spot"
            tags = {t["Key"]: t["Value"] for s in TagSpecifications if s["ResourceType"] == "instance" for t in s["Tags"]}
            made.append(self.ec2_make("instance", members, tags))
        return {"ReservationId": self.new_id("r-"), "OwnerId": "123456789012", "Instances": [self.ec2_view(t) for t in made]}

    def ec2_DescribeInstances(self, **a):
        found = self.ec2_found("instance", {**a, "FilterIds": a.get("InstanceIds")})
        return {"Reservations": [{"ReservationId": "r-1", "OwnerId": "123456789012", "Instances": [self.ec2_view(t)]} for t in found]}

    def ec2_GetConsoleOutput(self, InstanceId, **_):
        text = (self.get("instance", InstanceId) or self.ec2_need("instance", InstanceId)).get("console", "")
        return {"InstanceId": InstanceId, "Timestamp": "2026-01-01T00:00:00Z", "Output": base64.b64encode(text.encode()).decode()}

    def ec2_TerminateInstances(self, InstanceIds):
        for i in InstanceIds:
            thing = self.ec2_need("instance", i) if self.get("instance", i) is None else self.get("instance", i)
            if thing.state not in ("shutting-down", "terminated"):
                thing.become(["shutting-down", "terminated"], self.delay)
                for volume in self.all("volume"):
                    volume["Attachments"] = [x for x in volume["Attachments"] if x["InstanceId"] != i]
        return {"TerminatingInstances": [{"InstanceId": i, "CurrentState": {"Name": "shutting-down", "Code": 32}} for i in InstanceIds]}

    def ec2_DescribeAvailabilityZones(self, **_):
        return {"AvailabilityZones": [{"ZoneName": z, "ZoneId": f"use1-az{i}", "State": "available", "RegionName": "us-east-1", "ZoneType": "availability-zone", "OptInStatus": "opt-in-not-required"} for i, z in enumerate(ZONES, 1)]}

    def ec2_DescribeImages(self, **a):
        rows = [{"ImageId": "ami-old", "Name": "gpu-1", "CreationDate": "2026-01-01T00:00:00.000Z", "State": "available", "OwnerId": "amazon"},
                {"ImageId": "ami-new", "Name": "gpu-2", "CreationDate": "2026-06-01T00:00:00.000Z", "State": "available", "OwnerId": "amazon"}]
        name = next((f["Values"][0] for f in a.get("Filters", []) if f["Name"] == "name"), "*")
        return {"Images": [r for r in rows if re.fullmatch(name.replace("*", ".*"), r["Name"])]}

    def ec2_DescribeInstanceTypeOfferings(self, **a):
        """offerings: type → zones; others are everywhere."""
        wanted = next((f["Values"] for f in a.get("Filters", []) if f["Name"] == "instance-type"), [])
        return {"InstanceTypeOfferings": [{"InstanceType": t, "LocationType": "availability-zone", "Location": z} for t in wanted for z in self.offerings.get(t, ZONES)]}

    def ec2_DescribeInstanceTypes(self, InstanceTypes, **_):
        return {"InstanceTypes": [{"InstanceType": t, "VCpuInfo": {"DefaultVCpus": VCPUS.get(t, 4)}} for t in InstanceTypes if self.offerings.get(t, ZONES)]}

    def service_quotas_GetServiceQuota(self, ServiceCode, QuotaCode, **_):
        if QuotaCode not in self.quotas:
            raise Refusal("NoSuchResourceException", f"The request failed because the specified service does not exist: {QuotaCode}")
        return {"Quota": {"ServiceCode": ServiceCode, "QuotaCode": QuotaCode, "QuotaName": "vCPUs", "Value": float(self.quotas[QuotaCode])}}

    def ec2_DescribeSpotPriceHistory(self, InstanceTypes, **_):
        prices = getattr(self, "spot_prices", {})
        return {"SpotPriceHistory": [{"InstanceType": t, "AvailabilityZone": z, "SpotPrice": str(prices.get((t, z), "1.0")), "ProductDescription": "Linux/UNIX"} for t in InstanceTypes for z in ZONES]}

    # --- bought capacity ---

    def before_capacity_reservation(self, m):
        m["TotalInstanceCount"] = m["AvailableInstanceCount"] = m.pop("InstanceCount")
        m.setdefault("InstanceMatchCriteria", "open")

    def ec2_CancelCapacityReservation(self, CapacityReservationId):
        self.drop(self.ec2_need("capacity_reservation", CapacityReservationId))
        return {"Return": True}

    def ec2_ModifyCapacityReservation(self, CapacityReservationId, InstanceCount=None, **_):
        self.ec2_need("capacity_reservation", CapacityReservationId)["TotalInstanceCount"] = InstanceCount
        return {"Return": True}

    def ec2_DescribeCapacityBlockOfferings(self, InstanceType, CapacityDurationHours, InstanceCount=1, **_):
        begin = datetime.datetime.fromtimestamp(getattr(self, "block_begins", time.time()) // 60 * 60, datetime.timezone.utc)
        return {"CapacityBlockOfferings": [{"CapacityBlockOfferingId": f"cbo-{InstanceType}-{z}-{InstanceCount}-{CapacityDurationHours}", "InstanceType": InstanceType, "AvailabilityZone": z,
                                            "InstanceCount": InstanceCount, "CapacityBlockDurationHours": CapacityDurationHours, "UpfrontFee": str(fee * InstanceCount), "CurrencyCode": "USD",
                                            "StartDate": stamp(begin), "EndDate": stamp(begin + datetime.timedelta(hours=CapacityDurationHours))}
                                           for (t, z), fee in getattr(self, "blocks", {}).items() if t == InstanceType]}

    def ec2_PurchaseCapacityBlock(self, CapacityBlockOfferingId, InstancePlatform, TagSpecifications=()):
        """Each offer can be bought as long as it is there; there is no token: twice is twice."""
        kind, zone, count, hours = re.fullmatch(r"cbo-(.+?)-(us-.+)-(\d+)-(\d+)", CapacityBlockOfferingId).groups()
        if (kind, zone) not in getattr(self, "blocks", {}):
            raise Refusal("InvalidCapacityBlockOfferingId.NotFound", f"{CapacityBlockOfferingId} is not there")
        begin = datetime.datetime.fromtimestamp(getattr(self, "block_begins", time.time()), datetime.timezone.utc)
        made = self.ec2_make("capacity_reservation", {"InstanceType": kind, "InstancePlatform": InstancePlatform, "AvailabilityZone": zone, "ReservationType": "capacity-block", "TotalInstanceCount": int(count),
                                                      "AvailableInstanceCount": int(count), "StartDate": stamp(begin), "EndDate": stamp(begin + datetime.timedelta(hours=int(hours))),
                                                      "CapacityReservationArn": "arn:aws:ec2:us-east-1:123456789012:capacity-reservation/block", "InstanceMatchCriteria": "targeted", "Tenancy": "default"},
                             self.ec2_tags({"TagSpecifications": TagSpecifications}))
        made.become(["payment-pending", "scheduled" if begin.timestamp() > time.time() else "active"], self.delay)
        return {"CapacityReservation": self.ec2_view(made)}

    # --- fleets ---

    def ec2_CreateFleet(self, Type, TargetCapacitySpecification, LaunchTemplateConfigs, TagSpecifications=(), **_):
        """An instant one: what it could not do stands in its answer, which is 200 all the same."""
        if Type != "instant":
            raise Refusal("InvalidParameterValue", "the fake knows instant fleets")
        kind = TargetCapacitySpecification["DefaultTargetCapacityType"]
        template = LaunchTemplateConfigs[0]["LaunchTemplateSpecification"]
        if template.get("Version") is None:
            raise Refusal("InvalidParameterCombination", "a launch template of a fleet needs its version")
        fleet = self.ec2_make("fleet", {"Type": Type, "FleetState": "active"}, {t["Key"]: t["Value"] for s in TagSpecifications if s["ResourceType"] == "fleet" for t in s["Tags"]})
        tags = [*TagSpecifications, {"ResourceType": "instance", "Tags": [{"Key": "aws:ec2:fleet-id", "Value": fleet.id}]}]
        left, made, errors = TargetCapacitySpecification["TotalTargetCapacity"], [], []
        for override in LaunchTemplateConfigs[0].get("Overrides") or [{}]:
            if left == 0:
                break
            about = {"LaunchTemplateSpecification": template, "Overrides": override}
            try:
                run = self.ec2_RunInstances(1, left, tags, LaunchTemplate=template, **{k: override[k] for k in ("InstanceType", "SubnetId") if k in override},
                                            **({"InstanceMarketOptions": {"MarketType": "spot"}} if kind == "spot" else {}))
            except Refusal as r:
                errors.append({"LaunchTemplateAndOverrides": about, "Lifecycle": kind, "ErrorCode": r.code, "ErrorMessage": r.message})
                continue
            left -= len(run["Instances"])
            made.append({"LaunchTemplateAndOverrides": about, "Lifecycle": kind, "InstanceIds": [i["InstanceId"] for i in run["Instances"]], "InstanceType": run["Instances"][0]["InstanceType"]})
        return {"FleetId": fleet.id, "Errors": errors, "Instances": made}

    def ec2_DeleteFleets(self, FleetIds, TerminateInstances):
        gone, bad = [], []
        for id in FleetIds:
            fleet = self.get("fleet", id)
            if fleet is None:
                bad.append({"FleetId": id, "Error": {"Code": "fleetIdDoesNotExist", "Message": "the fleet does not exist"}})
                continue
            self.ec2_TerminateInstances([i.id for i in self.all("instance") if i.tags.get("aws:ec2:fleet-id") == id])
            self.drop(fleet)
            gone.append({"FleetId": id, "CurrentFleetState": "deleted_terminating", "PreviousFleetState": "active"})
        return {"SuccessfulFleetDeletions": gone, "UnsuccessfulFleetDeletions": bad}
