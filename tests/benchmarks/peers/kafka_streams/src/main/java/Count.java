import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;

/**
 * The plain count on Kafka Streams, Processor API: one processor, its counts in memory, no changelog; one thread.
 *
 * java -cp ... Count BOOTSTRAP SOURCE RESULTS PARTITIONS NAME FOLDER
 */
public final class Count {
    private static final long HOUR_MS = 3_600_000;
    private static final long DISORDER_MS = 15 * 60_000;

    private record Place(String county, String category) {}

    /** A mutable int, so that counting makes no garbage. */
    private static final class Counter {
        int count;
    }

    /** One of each partition: hours close by the partition's own event time. */
    private static final class Counting implements Processor<byte[], byte[], byte[], byte[]> {
        private final JsonFactory json = new JsonFactory();
        private final TreeMap<Long, Map<Place, Counter>> hours = new TreeMap<>();
        private ProcessorContext<byte[], byte[]> context;
        private long newest;
        private long start = -1;
        private Map<Place, Counter> counts;

        @Override
        public void init(ProcessorContext<byte[], byte[]> context) {
            this.context = context;
        }

        @Override
        public void process(Record<byte[], byte[]> event) {
            long at = event.timestamp();
            long hour = at - at % HOUR_MS;
            if (hour != start) {
                start = hour;
                counts = hours.computeIfAbsent(hour, unused -> new HashMap<>());
            }
            counts.computeIfAbsent(place(event.value()), unused -> new Counter()).count++;
            if (at > newest) {
                newest = at;
                if (hours.firstKey() + HOUR_MS + DISORDER_MS <= newest) {
                    closeHours();
                }
            }
        }

        private Place place(byte[] value) {
            String county = null;
            String category = null;
            try (JsonParser parser = json.createParser(value)) {
                parser.nextToken();
                while (parser.nextToken() != JsonToken.END_OBJECT) {
                    String name = parser.currentName();
                    parser.nextToken();
                    if (name.equals("county")) {
                        county = parser.getText();
                    } else if (name.equals("category")) {
                        category = parser.getText();
                    } else {
                        parser.skipChildren();
                    }
                }
            } catch (IOException broken) {
                throw new UncheckedIOException(broken);
            }
            return new Place(county, category);
        }

        private void closeHours() {
            Iterator<Map.Entry<Long, Map<Place, Counter>>> open = hours.entrySet().iterator();
            while (open.hasNext()) {
                Map.Entry<Long, Map<Place, Counter>> hour = open.next();
                if (hour.getKey() + HOUR_MS + DISORDER_MS > newest) {
                    break;
                }
                for (Map.Entry<Place, Counter> counted : hour.getValue().entrySet()) {
                    String text = "{\"county\":\"%s\",\"category\":\"%s\",\"start\":%d,\"count\":%d}".formatted(
                        counted.getKey().county(), counted.getKey().category(), hour.getKey(), counted.getValue().count);
                    context.forward(new Record<>(null, text.getBytes(StandardCharsets.UTF_8), hour.getKey()));
                }
                open.remove();
            }
            start = -1;
        }
    }

    public static void main(String[] arguments) throws InterruptedException {
        Properties settings = new Properties();
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, arguments[0]);
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, arguments[4]);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, arguments[5]);
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
        settings.put(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, 10_000);
        settings.put(StreamsConfig.consumerPrefix("auto.offset.reset"), "earliest");
        settings.put(StreamsConfig.consumerPrefix("max.poll.records"), 10_000);
        settings.put(StreamsConfig.producerPrefix("linger.ms"), 5);
        Topology topology = new Topology();
        topology.addSource("source", Serdes.ByteArray().deserializer(), Serdes.ByteArray().deserializer(), arguments[1]);
        topology.addProcessor("count", Counting::new, "source");
        topology.addSink(
            "results", arguments[2], Serdes.ByteArray().serializer(), Serdes.ByteArray().serializer(), "count");
        KafkaStreams streams = new KafkaStreams(topology, settings);
        CountDownLatch stopped = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            streams.close();
            stopped.countDown();
        }));
        streams.start();
        stopped.await();
    }
}
