package dmd.trino;

import io.trino.plugin.hive.HiveConnectorFactory;
import io.trino.spi.Plugin;
import io.trino.spi.connector.ConnectorFactory;

import java.util.List;

/** Offers Trino's Hive connector: what the artefact trino-hive-hadoop2 does, which holds this class and nothing else. */
public final class HivePlugin
        implements Plugin
{
    @Override
    public Iterable<ConnectorFactory> getConnectorFactories()
    {
        return List.of(new HiveConnectorFactory());
    }
}
