package io.tidemark.provider.fakecloud.aws;

import io.tidemark.provider.fakecloud.CallKind;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/** Tags of volumes and snapshots, and what an account has set. Guarded by the lock of the account. */
final class Ec2Tags {
    private static final int RESOURCES_MAXIMUM = 1000;
    private final AwsRegion region;

    Ec2Tags(AwsRegion region) {
        this.region = region;
    }

    void register(Map<String, Ec2Operation> operations) {
        operations.put("CreateTags", new Ec2Operation(CallKind.CHANGE, this::create));
        operations.put("DeleteTags", new Ec2Operation(CallKind.CHANGE, this::delete));
        operations.put("GetEbsEncryptionByDefault", new Ec2Operation(CallKind.READ, (call, xml) -> {
            xml.value("ebsEncryptionByDefault", region.encryptionByDefault);
        }));
        operations.put("GetEbsDefaultKmsKeyId", new Ec2Operation(CallKind.READ, (call, xml) -> {
            xml.value("kmsKeyId", Ec2Volumes.defaultKey(region));
        }));
        operations.put("DescribeAvailabilityZones", new Ec2Operation(CallKind.READ, this::zones));
        operations.put("DescribeRegions", new Ec2Operation(CallKind.READ, this::regions));
    }

    private void create(Ec2Call call, Xml xml) throws Ec2Exception {
        var added = call.tags("Tag");
        if (added.isEmpty()) {
            throw new Ec2Exception("MissingParameter", "The request must contain the parameter tag");
        }
        change(call, tags -> tags.putAll(added));
        xml.value("return", true);
    }

    private void delete(Ec2Call call, Xml xml) throws Ec2Exception {
        var removed = call.tags("Tag");
        change(call, tags -> {
            if (removed.isEmpty()) {
                tags.clear();
            }
            removed.forEach((key, value) -> {
                if (value.isEmpty()) {
                    tags.remove(key);
                } else {
                    tags.remove(key, value);
                }
            });
        });
        xml.value("return", true);
    }

    /** All resources or none: each is looked up, and its tags are checked, before the first is changed. */
    private void change(Ec2Call call, Consumer<Map<String, String>> change) throws Ec2Exception {
        List<String> ids = call.list("ResourceId");
        if (ids.isEmpty() || ids.size() > RESOURCES_MAXIMUM) {
            throw new Ec2Exception("InvalidParameterValue", "1 to 1000 resources, not " + ids.size());
        }
        var changed = new TreeMap<String, Map<String, String>>();
        for (String id : ids) {
            var tags = new TreeMap<>(
                    id.startsWith("vol-") ? Ec2Volumes.volume(region, id).tags : Ec2Snapshots.owned(region, id).tags);
            change.accept(tags);
            Ec2Call.checkTags(tags);
            changed.put(id, Map.copyOf(tags));
        }
        for (var entry : changed.entrySet()) {
            if (entry.getKey().startsWith("vol-")) {
                Ec2Volumes.volume(region, entry.getKey()).tags = entry.getValue();
            } else {
                Ec2Snapshots.owned(region, entry.getKey()).tags = entry.getValue();
            }
        }
    }

    private void zones(Ec2Call call, Xml xml) {
        xml.open("availabilityZoneInfo");
        for (String letter : List.of("a", "b", "c")) {
            xml.open("item")
                    .value("zoneName", region.name + letter)
                    .value("zoneId", region.name + "-az-" + letter)
                    .value("regionName", region.name)
                    .value("zoneState", "available")
                    .value("zoneType", "availability-zone")
                    .close("item");
        }
        xml.close("availabilityZoneInfo");
    }

    private void regions(Ec2Call call, Xml xml) {
        xml.open("regionInfo");
        for (String name : region.settings.regions()) {
            xml.open("item")
                    .value("regionName", name)
                    .value("regionEndpoint", "ec2.%s.amazonaws.com".formatted(name))
                    .value("optInStatus", "opt-in-not-required")
                    .close("item");
        }
        xml.close("regionInfo");
    }
}
