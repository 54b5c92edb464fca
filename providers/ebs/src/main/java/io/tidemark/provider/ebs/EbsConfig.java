package io.tidemark.provider.ebs;

import io.tidemark.provider.cloud.CloudSettings;
import io.tidemark.provider.cloud.CutRates;
import io.tidemark.spi.BadSetting;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.regex.Pattern;

/**
 * The provider's settings. {@code region}; {@code installation}, a word that no other Tidemark of the account has: it is
 * on all that we make, and a new host with the same word takes up where a lost one was; {@code onlyTagged}, a tag {@code
 * KEY=VALUE} that a volume needs to be seen; {@code ec2Endpoint} and {@code ebsEndpoint} where requests go elsewhere than to
 * the region's own addresses (an interface endpoint of a private network). Credentials come by the SDK's own chain alone.
 *
 * @param name by which the volumes are called
 * @param zone where clones are made of snapshots whose volume is gone; else they are made in their volume's
 * @param parallelBlocks blocks of 512 KiB that are read or written at once, 1 to 64
 * @param staging folder of this host, and of this provider alone, that holds what is written to volumes made here until it is
 *     at Amazon; without it none can be made
 * @param chainClones whether a clone of such a volume's snapshot is another such volume ({@code chain}), or one of Amazon's
 *     ({@code volume})
 * @param keepsRates whether a cut that the published rate would refuse is refused before it
 * @param copiesMaximum copies into the region that are under way at once, 1 to 1,000; others wait
 */
record EbsConfig(
        String name,
        String region,
        String installation,
        Optional<Tag> onlyTagged,
        Optional<URI> ec2Endpoint,
        Optional<URI> ebsEndpoint,
        Optional<String> zone,
        int parallelBlocks,
        Optional<Path> staging,
        boolean chainClones,
        boolean keepsRates,
        int copiesMaximum) {
    static final int PARALLEL_BLOCKS_MAXIMUM = 64;
    private static final int PARALLEL_BLOCKS_DEFAULT = 32;
    /** More than any account was ever granted. */
    private static final int COPIES_LIMIT = 1_000;
    /** Of a region ("Quotas for Amazon EBS"); old accounts have 5. */
    private static final int COPIES_DEFAULT = 20;

    private static final String REGION = "region";
    private static final String ONLY_TAGGED = "onlyTagged";
    private static final String EC2_ENDPOINT = "ec2Endpoint";
    private static final String EBS_ENDPOINT = "ebsEndpoint";
    private static final String ZONE = "availabilityZone";
    private static final String PARALLEL_BLOCKS = "parallelBlocks";
    private static final String STAGING = "staging";
    private static final String CHAIN_CLONES = "chainClones";
    private static final String COPIES_MAXIMUM = "copiesMaximum";
    private static final List<String> KNOWN = List.of(
            REGION,
            CloudSettings.INSTALLATION,
            ONLY_TAGGED,
            EC2_ENDPOINT,
            EBS_ENDPOINT,
            ZONE,
            PARALLEL_BLOCKS,
            STAGING,
            CHAIN_CLONES,
            CutRates.SETTING,
            COPIES_MAXIMUM);

    private static final Pattern REGION_FORM = Pattern.compile("[a-z]{2}(-[a-z]+)+-[0-9]{1,2}");
    private static final Pattern ZONE_FORM = Pattern.compile("[a-z]{2}[a-z0-9-]{2,60}");
    /** EC2 User Guide, "Tag restrictions": a key of 1 to 127 characters, a value of up to 255. */
    private static final Pattern TAG_FORM = Pattern.compile("([^=]{1,127})=(.{0,255})");

    record Tag(String key, String value) {}

    /** @throws IllegalArgumentException naming the setting and what is allowed */
    static EbsConfig of(String name, Map<String, String> settings) {
        for (var key : settings.keySet()) {
            if (!KNOWN.contains(key)) {
                throw BadSetting.unknown(key, EbsNames.PROVIDER, "there are " + String.join(", ", KNOWN));
            }
        }
        var told = new CloudSettings(EbsNames.PROVIDER, settings);
        return new EbsConfig(
                name,
                told.needed(REGION, REGION_FORM, "a region such as eu-central-1"),
                told.installation(),
                Optional.ofNullable(settings.get(ONLY_TAGGED)).map(EbsConfig::tag),
                endpoint(settings, EC2_ENDPOINT),
                endpoint(settings, EBS_ENDPOINT),
                Optional.ofNullable(settings.get(ZONE)).map(EbsConfig::zone),
                told.number(PARALLEL_BLOCKS, PARALLEL_BLOCKS_DEFAULT, PARALLEL_BLOCKS_MAXIMUM),
                Optional.ofNullable(settings.get(STAGING)).map(EbsConfig::staging),
                chainClones(settings.getOrDefault(CHAIN_CLONES, "chain")),
                CutRates.isKept(settings),
                told.number(COPIES_MAXIMUM, COPIES_DEFAULT, COPIES_LIMIT));
    }

    CutRates rates(LongSupplier nanos) {
        return new CutRates(
                Optional.of(EbsLimits.CUTS_OF_VOLUME).filter(limit -> keepsRates),
                AwsFailures.VOLUME_RATE_HOLDER,
                nanos);
    }

    private static Path staging(String value) {
        if (!value.startsWith("/")) {
            throw new BadSetting(STAGING, "%s is an absolute path of a folder, not \"%s\"".formatted(STAGING, value));
        }
        return Path.of(value);
    }

    private static boolean chainClones(String value) {
        if (!value.equals("chain") && !value.equals("volume")) {
            throw new BadSetting(
                    CHAIN_CLONES, "%s is \"chain\" or \"volume\", not \"%s\"".formatted(CHAIN_CLONES, value));
        }
        return value.equals("chain");
    }

    private static Tag tag(String value) {
        var matched = TAG_FORM.matcher(value);
        if (!matched.matches()) {
            throw new BadSetting(ONLY_TAGGED, "%s is KEY=VALUE, not \"%s\"".formatted(ONLY_TAGGED, value));
        }
        return new Tag(matched.group(1), matched.group(2));
    }

    private static Optional<URI> endpoint(Map<String, String> settings, String key) {
        var value = settings.get(key);
        if (value == null) {
            return Optional.empty();
        }
        if (!value.matches("https?://[A-Za-z0-9.\\[\\]:-]+(/[A-Za-z0-9/._-]*)?")) {
            throw new BadSetting(
                    key,
                    "%s is an address such as https://ec2.eu-central-1.amazonaws.com, not \"%s\""
                            .formatted(key, value));
        }
        return Optional.of(URI.create(value));
    }

    private static String zone(String value) {
        if (!ZONE_FORM.matcher(value).matches()) {
            throw new BadSetting(ZONE, "%s is a zone such as eu-central-1a, not \"%s\"".formatted(ZONE, value));
        }
        return value;
    }
}
