package io.tidemark.provider.azure;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.io.ByteArrayInputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamConstants;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;

/**
 * A page of ranges as the service writes it: PageRange and ClearRange among each other, in order, their ends inclusive
 * ("Get Page Ranges", response body).
 *
 * @param next marker of the next page; empty on the last. A page may be empty and not the last
 */
record PageListXml(List<Range> ranges, Optional<String> next) {

    /** @param clear whether it holds nothing any more */
    record Range(long startBytes, long endBytes, boolean clear) {}

    PageListXml {
        ranges = List.copyOf(ranges);
    }

    static PageListXml parse(String asked, byte[] xml) throws ProviderException {
        var factory = XMLInputFactory.newDefaultFactory();
        factory.setProperty(XMLInputFactory.SUPPORT_DTD, false);
        factory.setProperty(XMLInputFactory.IS_SUPPORTING_EXTERNAL_ENTITIES, false);
        try {
            return read(factory.createXMLStreamReader(new ByteArrayInputStream(xml)));
        } catch (XMLStreamException | NumberFormatException e) {
            throw new ProviderException(
                    new ProviderError.Unexpected(
                            asked, String.valueOf(e.getMessage()).replaceAll("\\s+", " ")),
                    e);
        }
    }

    private static PageListXml read(XMLStreamReader reader) throws XMLStreamException {
        var ranges = new ArrayList<Range>();
        long start = -1;
        long end = -1;
        var next = "";
        while (reader.hasNext()) {
            int event = reader.next();
            if (event == XMLStreamConstants.START_ELEMENT) {
                switch (reader.getLocalName()) {
                    case "Start" ->
                        start = Long.parseLong(reader.getElementText().strip());
                    case "End" -> end = Long.parseLong(reader.getElementText().strip());
                    case "NextMarker" -> next = reader.getElementText().strip();
                    default -> {}
                }
            } else if (event == XMLStreamConstants.END_ELEMENT
                    && reader.getLocalName().endsWith("Range")) {
                if (start < 0 || end < start) {
                    throw new NumberFormatException("a range from %d to %d".formatted(start, end));
                }
                ranges.add(new Range(start, end + 1, reader.getLocalName().equals("ClearRange")));
                start = -1;
                end = -1;
            }
        }
        return new PageListXml(ranges, Optional.of(next).filter(each -> !each.isEmpty()));
    }
}
