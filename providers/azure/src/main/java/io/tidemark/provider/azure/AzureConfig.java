package io.tidemark.provider.azure;

import io.tidemark.provider.cloud.CloudSettings;
import io.tidemark.provider.cloud.CutRates;
import io.tidemark.spi.BadSetting;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.regex.Pattern;

/**
 * The provider's settings. {@code subscription}; {@code location}, a region; {@code resourceGroup}, whose disks are
 * called by their names alone and where clones are made; {@code installation}, a word that no other Tidemark of the
 * subscription has: it is on all that we make, and a new host with the same word takes up where a lost one was; {@code
 * otherGroups}, a list whose disks are called {@code GROUP/NAME}, or {@code *} for all; {@code onlyTagged}, a tag
 * {@code KEY=VALUE} that a disk needs to be seen; {@code endpoint} where requests go elsewhere than to Resource Manager
 * of the public cloud. Credentials come by the SDK's own chain alone, and over plain HTTP, which is for this host
 * alone, none are sent.
 *
 * @param name by which the volumes are called
 * @param wholeSubscription whether disks of every group are seen
 * @param otherGroups in lower case, as all names of Azure's here
 * @param keepsRates whether a cut that the published rate would refuse is refused before it
 * @param parallelReads ranges of 4 MiB that are read at once, 1 to 32
 */
record AzureConfig(
        String name,
        String subscription,
        String location,
        String resourceGroup,
        String installation,
        boolean wholeSubscription,
        List<String> otherGroups,
        Optional<Tag> onlyTagged,
        URI endpoint,
        boolean keepsRates,
        int parallelReads) {
    static final int PARALLEL_READS_MAXIMUM = 32;
    private static final int PARALLEL_READS_DEFAULT = 8;
    static final int GROUPS_MAXIMUM = 100;

    private static final String SUBSCRIPTION = "subscription";
    private static final String LOCATION = "location";
    private static final String RESOURCE_GROUP = "resourceGroup";
    private static final String OTHER_GROUPS = "otherGroups";
    private static final String ONLY_TAGGED = "onlyTagged";
    private static final String ENDPOINT = "endpoint";
    private static final String PARALLEL_READS = "parallelReads";
    private static final List<String> KNOWN = List.of(
            SUBSCRIPTION,
            LOCATION,
            RESOURCE_GROUP,
            CloudSettings.INSTALLATION,
            OTHER_GROUPS,
            ONLY_TAGGED,
            ENDPOINT,
            CutRates.SETTING,
            PARALLEL_READS);

    private static final Pattern SUBSCRIPTION_FORM =
            Pattern.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}");
    private static final Pattern LOCATION_FORM = Pattern.compile("[a-z0-9]{2,40}");
    /**
     * "Naming rules and restrictions for Azure resources": without the parentheses, which an id of ours cannot have.
     */
    private static final Pattern GROUP_FORM = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,89}");
    /** "Use tags to organize your Azure resources", limits: a name has none of these, a value up to 256 characters. */
    private static final Pattern TAG_FORM = Pattern.compile("([^=<>%&\\\\?/]{1,512})=(.{0,256})");

    private static final Pattern ENDPOINT_FORM =
            Pattern.compile("https://[A-Za-z0-9.-]+(:[0-9]{1,5})?|http://(127\\.0\\.0\\.1|localhost)(:[0-9]{1,5})?");

    record Tag(String key, String value) {}

    /** @throws IllegalArgumentException naming the setting and what is allowed */
    static AzureConfig of(String name, Map<String, String> settings) {
        var others = new ArrayList<String>();
        for (var each : settings.entrySet()) {
            if (each.getKey().startsWith(OTHER_GROUPS + ".")) {
                others.add(group(each.getKey(), each.getValue()));
            } else if (!KNOWN.contains(each.getKey())) {
                throw BadSetting.unknown(each.getKey(), AzureNames.PROVIDER, "there are " + String.join(", ", KNOWN));
            }
        }
        if (others.size() > GROUPS_MAXIMUM) {
            throw new BadSetting(
                    OTHER_GROUPS,
                    "%s has at most %d entries, not %d; * is for all groups"
                            .formatted(OTHER_GROUPS, GROUPS_MAXIMUM, others.size()));
        }
        var all = settings.get(OTHER_GROUPS);
        if (all != null && !all.equals("*")) {
            throw new BadSetting(
                    OTHER_GROUPS, "%s is a list of resource groups, or *, not \"%s\"".formatted(OTHER_GROUPS, all));
        }
        var told = new CloudSettings(AzureNames.PROVIDER, settings);
        return new AzureConfig(
                name,
                told.needed(SUBSCRIPTION, SUBSCRIPTION_FORM, "the id of a subscription")
                        .toLowerCase(Locale.ROOT),
                told.needed(LOCATION, LOCATION_FORM, "a region such as westeurope"),
                told.needed(RESOURCE_GROUP, GROUP_FORM, "the name of a resource group")
                        .toLowerCase(Locale.ROOT),
                told.installation(),
                all != null,
                List.copyOf(others),
                Optional.ofNullable(settings.get(ONLY_TAGGED)).map(AzureConfig::tag),
                endpoint(settings.getOrDefault(ENDPOINT, "https://management.azure.com")),
                CutRates.isKept(settings),
                told.number(PARALLEL_READS, PARALLEL_READS_DEFAULT, PARALLEL_READS_MAXIMUM));
    }

    /** Azure has no code of its own for a refusal for the rate: it is one of too many requests. */
    CutRates rates(LongSupplier nanos) {
        return new CutRates(Optional.of(AzureLimits.CUTS_OF_DISK).filter(limit -> keepsRates), "", nanos);
    }

    /** Whether disks of the group are ours to see. */
    boolean sees(String group) {
        var wanted = group.toLowerCase(Locale.ROOT);
        return wholeSubscription || wanted.equals(resourceGroup) || otherGroups.contains(wanted);
    }

    /** Groups to be listed one by one; none: the subscription is listed at once. */
    List<String> listedGroups() {
        if (wholeSubscription) {
            return List.of();
        }
        var groups = new ArrayList<>(otherGroups);
        groups.addFirst(resourceGroup);
        return groups.stream().distinct().toList();
    }

    /** Whether credentials are sent. */
    boolean isSecure() {
        return endpoint.getScheme().equals("https");
    }

    private static String group(String key, String value) {
        if (!GROUP_FORM.matcher(value).matches()) {
            throw new BadSetting(
                    key, "%s is the name of a resource group, not \"%s\"".formatted(BadSetting.told(key), value));
        }
        return value.toLowerCase(Locale.ROOT);
    }

    private static Tag tag(String value) {
        var matched = TAG_FORM.matcher(value);
        if (!matched.matches()) {
            throw new BadSetting(ONLY_TAGGED, "%s is KEY=VALUE, not \"%s\"".formatted(ONLY_TAGGED, value));
        }
        return new Tag(matched.group(1), matched.group(2));
    }

    private static URI endpoint(String value) {
        if (!ENDPOINT_FORM.matcher(value).matches()) {
            throw new BadSetting(
                    ENDPOINT,
                    "%s is an address such as https://management.azure.com, http only of this host, not \"%s\""
                            .formatted(ENDPOINT, value));
        }
        return URI.create(value);
    }
}
