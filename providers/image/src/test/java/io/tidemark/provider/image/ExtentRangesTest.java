package io.tidemark.provider.image;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.nativeblock.HostCalls;
import io.tidemark.nativeblock.HostCalls.Extent;
import io.tidemark.spi.BlockRange;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Made-up extents, tens of thousands of them, against a walk block by block. */
class ExtentRangesTest {
    private static final Path OLDER = Path.of("/older");
    private static final Path NEWER = Path.of("/newer");
    private static final int PAGE = 4096;
    private static final int ENCODED = 0x8;

    @Test
    void rangesAreWhatAWalkBlockByBlockFinds() throws Exception {
        for (long seed = 0; seed < 300; seed++) {
            var random = new Random(seed);
            int blocks = seed % 50 == 0 ? 60_000 : 1 + random.nextInt(300);
            var older = extents(random, blocks, List.of());
            var newer = extents(random, blocks + random.nextInt(10), older);
            long olderBytes = (long) blocks * PAGE;
            long newerBytes = olderBytes + (random.nextBoolean() ? 0 : random.nextInt(20) * 512L);
            var host = host(Map.of(OLDER, older, NEWER, newer));

            var ranges = ExtentRanges.between(host, OLDER, olderBytes, NEWER, newerBytes);

            assertThat(blocksOf(ranges, newerBytes))
                    .as("seed %d", seed)
                    .isEqualTo(expected(older, newer, olderBytes, newerBytes));
        }
    }

    private static List<Extent> extents(Random random, int blocks, List<Extent> like) {
        var extents = new ArrayList<Extent>();
        int block = 0;
        int index = 0;
        while (block < blocks) {
            int length = Math.min(blocks - block, 1 + random.nextInt(6));
            boolean same = index < like.size() && random.nextInt(4) > 0;
            if (same && like.get(index).logicalBytes() >= (long) block * PAGE) {
                extents.add(like.get(index));
                block = (int) ((like.get(index).logicalBytes() + like.get(index).lengthBytes()) / PAGE);
            } else {
                if (random.nextInt(3) > 0) {
                    int kind = random.nextInt(10);
                    int flags = kind == 0 ? Extent.UNWRITTEN : kind == 1 ? ENCODED : 0;
                    extents.add(new Extent(
                            (long) block * PAGE, random.nextInt(1 << 20) * (long) PAGE, (long) length * PAGE, flags));
                }
                block += length;
            }
            while (index < like.size() && like.get(index).logicalBytes() < (long) block * PAGE) {
                index++;
            }
        }
        return extents;
    }

    private static Set<Long> expected(List<Extent> older, List<Extent> newer, long olderBytes, long newerBytes) {
        var changed = new HashSet<Long>();
        long blocks = (Math.max(olderBytes, newerBytes) + PAGE - 1) / PAGE;
        var left = places(older, blocks);
        var right = places(newer, blocks);
        for (int block = 0; block < blocks; block++) {
            boolean past = (block + 1L) * PAGE > Math.min(olderBytes, newerBytes) && olderBytes != newerBytes;
            if (past || left[block] != right[block] || left[block] == Long.MIN_VALUE) {
                changed.add((long) block);
            }
        }
        return changed;
    }

    /** 0 for a hole, the smallest number for a place that says nothing. */
    private static long[] places(List<Extent> extents, long blocks) {
        var places = new long[Math.toIntExact(blocks)];
        for (var extent : extents) {
            for (long offset = 0; offset < extent.lengthBytes(); offset += PAGE) {
                int block = (int) ((extent.logicalBytes() + offset) / PAGE);
                if (block < blocks) {
                    places[block] = switch (extent.flags()) {
                        case Extent.UNWRITTEN -> 0;
                        case ENCODED -> Long.MIN_VALUE;
                        default -> 1 + extent.physicalBytes() + offset;
                    };
                }
            }
        }
        return places;
    }

    private static Set<Long> blocksOf(ExtentRanges ranges, long sizeBytes) throws Exception {
        var blocks = new HashSet<Long>();
        long end = 0;
        for (var next = ranges.next(); next.isPresent(); next = ranges.next()) {
            BlockRange range = next.get();
            assertThat(range.offsetBytes()).isGreaterThanOrEqualTo(end);
            end = range.endBytes();
            assertThat(end).isLessThanOrEqualTo(sizeBytes);
            for (long offset = range.offsetBytes(); offset < end; offset += PAGE) {
                blocks.add(offset / PAGE);
            }
        }
        return blocks;
    }

    private static HostCalls host(Map<Path, List<Extent>> files) {
        return (HostCalls) Proxy.newProxyInstance(
                HostCalls.class.getClassLoader(), new Class<?>[] {HostCalls.class}, (proxy, method, arguments) -> {
                    assertThat(method.getName()).isEqualTo("extents");
                    long from = (Long) arguments[1];
                    return files.getOrDefault((Path) arguments[0], List.of()).stream()
                            .filter(extent -> extent.logicalBytes() >= from)
                            .limit((Integer) arguments[2])
                            .toList();
                });
    }
}
