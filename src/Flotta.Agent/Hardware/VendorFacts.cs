using Flotta.Wire;

namespace Flotta.Agent.Hardware;

internal static class VendorFacts
{
    private const string Folder = "/sys/class/dmi/id/";
    private static readonly string[] OfVirtualMachines = ["KVM", "VirtualBox", "VMware", "Virtual Machine", "AHV", "HVM domU", "oVirt"];

    public static SystemVendor Read(MachineFiles files)
    {
        var product = files.Text(Folder + "product_family") is "oVirt" or "RHV" ? "oVirt" : files.Text(Folder + "product_name") ?? files.Text("/proc/device-tree/model") ?? "unknown";
        return new SystemVendor
        {
            Manufacturer = files.Text(Folder + "sys_vendor") ?? "unknown",
            ProductName = product,
            SerialNumber = files.Text(Folder + "product_serial") ?? files.Text("/proc/device-tree/serial-number") ?? "unknown",
            Virtual = Array.Exists(OfVirtualMachines, name => product.Contains(name, StringComparison.Ordinal))
                || files.Lines("/proc/cpuinfo").Any(line => line.StartsWith("flags", StringComparison.Ordinal) && line.Split(' ').Contains("hypervisor", StringComparer.Ordinal)),
        };
    }
}
