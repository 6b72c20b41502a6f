using System.Runtime.InteropServices;
using Flotta.EdgeApi.Requests;

namespace Flotta.Tests.EdgeApi.Requests;

/// <summary>What it saves is measured by <c>bench/run.sh edge</c>; here is that OpenSSL heard of it.</summary>
public sealed partial class TlsThriftTests
{
    [Fact]
    public void Whatever_is_made_afterwards_gives_its_buffers_back_and_one_ticket_away()
    {
        TlsThrift.Apply().ShouldBeTrue();
        TlsThrift.Apply().ShouldBeTrue("once is enough, and twice does no harm");
        var context = NewContext(Method());
        var connection = NewConnection(context);
        try
        {
            (Control(context, 33, 0, 0) & 0x10).ShouldBe(0x10);
            ((int)Tickets(connection)).ShouldBeInRange(1, Version() < 0x30200000 ? 1 : 2);
        }
        finally
        {
            FreeConnection(connection);
            FreeContext(context);
        }
    }

    [LibraryImport("libcrypto.so.3", EntryPoint = "OpenSSL_version_num")]
    private static partial long Version();

    [LibraryImport("libssl.so.3", EntryPoint = "TLS_method")]
    private static partial nint Method();

    [LibraryImport("libssl.so.3", EntryPoint = "SSL_CTX_new")]
    private static partial nint NewContext(nint method);

    [LibraryImport("libssl.so.3", EntryPoint = "SSL_CTX_ctrl")]
    private static partial nint Control(nint context, int command, nint value, nint argument);

    [LibraryImport("libssl.so.3", EntryPoint = "SSL_new")]
    private static partial nint NewConnection(nint context);

    [LibraryImport("libssl.so.3", EntryPoint = "SSL_get_num_tickets")]
    private static partial nuint Tickets(nint connection);

    [LibraryImport("libssl.so.3", EntryPoint = "SSL_free")]
    private static partial void FreeConnection(nint connection);

    [LibraryImport("libssl.so.3", EntryPoint = "SSL_CTX_free")]
    private static partial void FreeContext(nint context);
}
