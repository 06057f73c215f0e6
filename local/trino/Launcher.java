package dmd.trino;

import io.trino.server.Server;

/** Starts a Trino server: what {@code io.trino.server.TrinoServer} does, which is published only in an archive. */
public final class Launcher
{
    private Launcher() {}

    public static void main(String[] arguments)
    {
        new Server().start(arguments[0]);
    }
}
