using System.Text;
using Flotta.Yggdrasil.Credentials;

namespace Flotta.Fleet.Credentials;

/// <summary>
/// The keys and certificates of the fleet, a file per device (0600) with the key and, once there is one, the certificate; so that a later run goes on with the same devices.
/// </summary>
internal sealed class IdentityFolder
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly string _path;

    public IdentityFolder(string path)
    {
        _path = Path.GetFullPath(path);
        Directory.CreateDirectory(_path, Private | UnixFileMode.UserExecute);
    }

    /// <summary>The key that the device has, or a new one, kept before anybody hears of it: an approval is bound to it.</summary>
    public string Key(string id)
    {
        if (File.Exists(FileOf(id)))
            return KeyIn(File.ReadAllText(FileOf(id)));
        var key = DeviceKey.CreatePem();
        Write(id, key);
        return key;
    }

    /// <summary>Null where the device has no certificate yet.</summary>
    public Identity? Identity(string id)
    {
        var file = FileOf(id);
        if (!File.Exists(file))
            return null;
        var pem = File.ReadAllText(file);
        return pem.Contains("BEGIN CERTIFICATE", StringComparison.Ordinal) ? Yggdrasil.Credentials.Identity.FromPem(pem, pem, file, file) : null;
    }

    public void Keep(string id, string keyPem, string certificatePem) => Write(id, keyPem + certificatePem.Trim() + "\n");

    public void Forget(string id) => File.Delete(FileOf(id));

    private static string KeyIn(string pem)
    {
        var certificate = pem.IndexOf("-----BEGIN CERTIFICATE", StringComparison.Ordinal);
        return certificate < 0 ? pem : pem[..certificate];
    }

    private string FileOf(string id) => Path.Combine(_path, id + ".pem");

    private void Write(string id, string pem)
    {
        var file = FileOf(id);
        var temporary = file + ".new";
        File.Delete(temporary);
        using (var stream = new FileStream(temporary, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = Private }))
            stream.Write(Encoding.ASCII.GetBytes(pem));
        File.Move(temporary, file, overwrite: true);
    }
}
