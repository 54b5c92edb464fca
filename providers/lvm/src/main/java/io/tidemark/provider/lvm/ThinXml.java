package io.tidemark.provider.lvm;

import io.tidemark.spi.BlockRange;
import java.io.InputStream;
import java.util.Optional;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamConstants;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;

/**
 * Chunks that {@code thin_delta} or {@code thin_dump} name, as they are said: elements of thin_delta(8) and thin_dump(8).
 * An element that is not known counts as changed if it has a place, and is refused if it has none.
 */
final class ThinXml implements AutoCloseable {
    private static final XMLInputFactory FACTORY = factory();

    private final XMLStreamReader xml;
    private long chunkBytes;

    ThinXml(InputStream output) throws XMLStreamException {
        xml = FACTORY.createXMLStreamReader(output);
    }

    private static XMLInputFactory factory() {
        var factory = XMLInputFactory.newFactory();
        factory.setProperty(XMLInputFactory.SUPPORT_DTD, false);
        factory.setProperty(XMLInputFactory.IS_SUPPORTING_EXTERNAL_ENTITIES, false);
        return factory;
    }

    /** The next run of chunks that differ, or are mapped. */
    Optional<BlockRange> next() throws XMLStreamException {
        while (xml.hasNext()) {
            if (xml.next() == XMLStreamConstants.START_ELEMENT) {
                var range = range();
                if (range.isPresent()) {
                    return range;
                }
            }
        }
        return Optional.empty();
    }

    private Optional<BlockRange> range() throws XMLStreamException {
        switch (xml.getLocalName()) {
            case "superblock" -> chunkBytes = Math.multiplyExact(number("data_block_size"), 512L);
            case "diff", "device", "def", "same" -> {}
            case "single_mapping" -> {
                return Optional.of(chunks(number("origin_block"), 1));
            }
            case "range_mapping" -> {
                return Optional.of(chunks(number("origin_begin"), number("length")));
            }
            default -> {
                return Optional.of(chunks(number("begin"), number("length")));
            }
        }
        return Optional.empty();
    }

    private BlockRange chunks(long first, long count) throws XMLStreamException {
        if (chunkBytes == 0) {
            throw new XMLStreamException("chunks without a superblock before them", xml.getLocation());
        }
        try {
            return new BlockRange(Math.multiplyExact(first, chunkBytes), Math.multiplyExact(count, chunkBytes));
        } catch (ArithmeticException | IllegalArgumentException e) {
            throw new XMLStreamException("%d chunks at %d".formatted(count, first), xml.getLocation(), e);
        }
    }

    private long number(String attribute) throws XMLStreamException {
        var value = xml.getAttributeValue(null, attribute);
        try {
            return Long.parseLong(value == null ? "" : value);
        } catch (NumberFormatException e) {
            throw new XMLStreamException(
                    "%s has %s=%s".formatted(xml.getLocalName(), attribute, value), xml.getLocation(), e);
        }
    }

    @Override
    public void close() throws XMLStreamException {
        xml.close();
    }
}
